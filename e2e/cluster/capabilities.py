"""An OCI runtime wrapper for machines whose capability set is incomplete.

Docker 20.10 grants a ``--privileged`` container every capability that it knows; where the machine itself lacks
one of them (CAP_SYS_RESOURCE in some sandboxes), runc refuses with "unable to apply caps". Registered as Docker's
default runtime, this file takes the missing capabilities out of the container's configuration (``create``) or
process (``exec``) and then becomes runc. It runs once for every container start and exec, so it imports little.
"""

import json
import os
import sys

# The numbers of linux/capability.h; index = bit in /proc/self/status's CapBnd.
NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
    "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL "
    "SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()


def missing(bounding: int) -> frozenset[str]:
    """Names (``CAP_…``) of the known capabilities that a bounding set, as a bit mask, lacks."""
    return frozenset(f"CAP_{name}" for bit, name in enumerate(NAMES) if not bounding >> bit & 1)


def bounding_set() -> int:
    """This process's capability bounding set as a bit mask."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib costs 10 ms a start
        return next(int(line.split()[1], 16) for line in status if line.startswith("CapBnd"))


def without(process: dict[str, object], lacking: frozenset[str]) -> dict[str, object]:
    """An OCI process object whose capability sets name none of ``lacking``."""
    sets = process.get("capabilities")
    if not isinstance(sets, dict):
        return process
    kept = {kind: [cap for cap in caps if cap not in lacking] for kind, caps in sets.items()}
    return {**process, "capabilities": kept}


def _rewrite(path: str, lacking: frozenset[str], *, bundle: bool) -> None:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        content = json.load(file)
    if bundle:
        content["process"] = without(content.get("process") or {}, lacking)
    else:
        content = without(content, lacking)
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(content, file)


def _option(arguments: list[str], *names: str) -> str | None:
    for index, argument in enumerate(arguments):
        if argument in names and index + 1 < len(arguments):
            return arguments[index + 1]
        name, _, value = argument.partition("=")
        if value and name in names:
            return value
    return None


def main(arguments: list[str]) -> None:
    """Take the capabilities out and become runc; never returns."""
    lacking = missing(bounding_set())
    if "create" in arguments or "run" in arguments:
        bundle = _option(arguments, "--bundle", "-b") or "."
        _rewrite(f"{bundle}/config.json", lacking, bundle=True)
    elif "exec" in arguments and (process := _option(arguments, "--process", "-p")):
        _rewrite(process, lacking, bundle=False)
    os.execvp("runc", ["runc", *arguments])  # noqa: S606 - becoming runc is this file's purpose


if __name__ == "__main__":
    main(sys.argv[1:])
