"""Why a download failed, as types whose names the operator shows as a condition's reason.

FetchError
├── RefusedSource     10  the source is none that may be fetched
├── NotFound          11  the server has no such file
├── Unauthorized      12  the server wants another token, or one at all
├── ChecksumMismatch  13  the file is not the one that was asked for
├── NotGGUF           14  the file is no model
├── NoSpace           15  the volume has too little room
├── NetworkFailed     16  the server cannot be reached or breaks off, again and again
├── CannotWrite       17  the volume refuses, for another reason than its size
└── TooLarge          18  the file has more bytes than are allowed
"""


class FetchError(Exception):
    """A failure that trying again within this process does not help; the message is one line with a remedy."""

    exit_code = 1

    def __str__(self) -> str:
        """The termination message."""
        return f"{type(self).__name__}: {super().__str__()}"


class RefusedSource(FetchError):  # noqa: N818  # these names are the operator's reasons
    """The source is none that may be fetched."""

    exit_code = 10


class NotFound(FetchError):  # noqa: N818
    """The server has no such file."""

    exit_code = 11


class Unauthorized(FetchError):  # noqa: N818
    """The server wants another token, or one at all."""

    exit_code = 12


class ChecksumMismatch(FetchError):  # noqa: N818
    """The file is not the one that was asked for."""

    exit_code = 13


class NotGGUF(FetchError):  # noqa: N818
    """The file is no model."""

    exit_code = 14


class NoSpace(FetchError):  # noqa: N818
    """The volume has too little room for the file."""

    exit_code = 15


class NetworkFailed(FetchError):  # noqa: N818
    """The server cannot be reached or breaks off, again and again."""

    exit_code = 16


class CannotWrite(FetchError):  # noqa: N818
    """The volume refuses, for another reason than its size: permissions, a read-only mount, a fault."""

    exit_code = 17


class TooLarge(FetchError):  # noqa: N818
    """The file has more bytes than are allowed."""

    exit_code = 18
