"""The certificate authorities that this machine trusts beyond Mozilla's, for images that are made here.

Behind a proxy that inspects TLS, the packages that an image installs arrive under the proxy's certificate: a base
image that trusts less than its machine could not install anything. mmdebstrap calls this file as a hook.
"""

import re
import sys
from pathlib import Path

BUNDLE = Path("etc/ssl/certs/ca-certificates.crt")
LOCAL = Path("usr/local/share/ca-certificates")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


def beyond(machine: str, image: str) -> list[str]:
    """The PEM certificates of one bundle that another lacks, each once, in their order."""
    known = {"".join(pem.split()) for pem in CERTIFICATE.findall(image)}
    found = {"".join(pem.split()): pem for pem in CERTIFICATE.findall(machine)}
    return [pem for key, pem in found.items() if key not in known]


def main(root: Path) -> None:
    """Write what is lacking under ``root``, one file each, where update-ca-certificates looks."""
    machine = Path("/") / BUNDLE
    if not machine.exists():
        return
    for index, pem in enumerate(beyond(machine.read_text(), (root / BUNDLE).read_text())):
        (root / LOCAL).mkdir(parents=True, exist_ok=True)
        (root / LOCAL / f"machine-{index}.crt").write_text(pem + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
