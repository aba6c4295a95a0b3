"""Where a model file comes from: one pattern for admission and for reading, so that both take the same."""

import re
from dataclasses import dataclass

# No segment begins with a dot, so that a path cannot lead out of the volume or of the repository.
_SEGMENT = r"[A-Za-z0-9_+=,-][A-Za-z0-9._+=,-]*"
_PATH = rf"{_SEGMENT}(?:/{_SEGMENT})*"
_URL = r"https?://[^/?#@\s]+(?:/\S*)?"
_HUB = rf"hf://{_SEGMENT}/{_SEGMENT}/{_PATH}(?:@[A-Za-z0-9._/-]+)?"
_CLAIM = rf"pvc://([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)/({_PATH})"
# The path has neither colon nor at-sign, so it begins behind the last tag or digest, whatever ports come before.
_IMAGE = (
    rf"oci://([a-z0-9][A-Za-z0-9._:/-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{{64}}))/({_PATH})"
)

SOURCE = rf"^(?:{_URL}|{_HUB}|{_CLAIM}|{_IMAGE})$"
"""What a source looks like, for RE2 and for Python alike."""

DOWNLOADED = r"^(?:https?|hf)://"
"""How one begins that an init container downloads."""

SOURCE_HELP = (
    "write https://host/file, http://host/file, hf://org/repo/file@revision, pvc://claim/file or "
    "oci://image:tag/file, without spaces, user name or password; a token goes to secretRef"
)


@dataclass(frozen=True)
class ClaimSource:
    """A file on a PersistentVolumeClaim of the CodeModel's namespace."""

    claim: str
    path: str


@dataclass(frozen=True)
class ImageSource:
    """A file in an image that is mounted as a volume."""

    image: str
    path: str


def mounted(source: str) -> ClaimSource | ImageSource | None:
    """Return where a source is mounted from; None for one that is downloaded."""
    if claim := re.fullmatch(_CLAIM, source):
        return ClaimSource(*claim.groups())
    if image := re.fullmatch(_IMAGE, source):
        return ImageSource(*image.groups())
    return None
