"""What a server's answer means, from its status and headers."""

import datetime
import re
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import httpx

from codemodel_delivery.fetch.errors import NotFound, NotGGUF, Unauthorized
from codemodel_delivery.fetch.partial import Version
from codemodel_delivery.fetch.source import shown

_WORTH_RETRYING = {408, 425, 429}
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class TryAgainError(Exception):
    """This attempt failed in a way that may pass.

    Args:
        message: what happened.
        after: seconds to wait that the server asked for.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Body(Enum):
    """What the bytes of an answer are."""

    WHOLE = auto()
    THE_REST = auto()
    USELESS = auto()


def body_of(
    response: httpx.Response, url: httpx.URL, size: int, version: Version, *, with_token: bool
) -> Body:
    """Looks at status and headers before any byte of the body.

    Args:
        response: the answer.
        url: what was asked for.
        size: from which byte on; 0 asked for the whole file.
        version: of which version.
        with_token: whether a token was sent.

    Raises:
        FetchError: the file cannot be had.
        TryAgainError: it may be had later.
    """
    status = response.status_code
    where = shown(url)
    match status:
        case 200 | 206:
            refuse_compressed(response.headers, where)
            if status == 200:
                return Body.WHOLE
            return Body.THE_REST if size and _continues(response.headers, size, version) else Body.USELESS
        case 416:
            return Body.USELESS
        case 401 | 403:
            hint = "has another token" if with_token else "has one"
            raise Unauthorized(f"{where} answered {status}: check that the Secret in secretRef {hint}")
        case 404 | 410:
            raise NotFound(f"{where} answered {status}: check the model's source")
        case _ if may_pass(status):
            raise TryAgainError(f"the server answered {status}", retry_after(response.headers))
        case _:
            raise NotFound(f"{where} answered {status}, which is no file: check the model's source")


def may_pass(status: int) -> bool:
    """Whether a server that answers so may answer otherwise later."""
    return status >= 500 or status in _WORTH_RETRYING


def refuse_compressed(headers: httpx.Headers, where: str) -> None:
    """Takes the bytes of a body for those of the file only if they are.

    Raises:
        NotGGUF: the body is compressed.
    """
    coding = headers.get("Content-Encoding", "identity")
    if coding != "identity":
        raise NotGGUF(f"{where} is sent compressed ({coding}): give a URL that serves the file as it is")


def version_of(headers: httpx.Headers) -> Version:
    """What the server says about the version that it sends whole."""
    length, etag = headers.get("Content-Length", ""), headers.get("ETag")
    strong = etag if etag and not etag.startswith("W/") else None
    return Version(
        total=int(length) if length else None, etag=etag, validator=strong or headers.get("Last-Modified")
    )


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that a server asks to wait, given as such or as a date (RFC 9110, section 10.2.3).

    A date counts from the server's own (the Date header), or from ours where it says none; one that is past, like
    anything else that cannot be read, is None.
    """
    value = headers.get("Retry-After", "")
    if re.fullmatch("[0-9]+", value):
        return float(value)
    then = _date(value)
    if then is None:
        return None
    seconds = (then - (_date(headers.get("Date", "")) or datetime.datetime.now(datetime.UTC))).total_seconds()
    return seconds if seconds > 0 else None


def _date(text: str) -> datetime.datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    # RFC 9110, section 5.6.7: all of HTTP's dates are in UTC, also where a server leaves GMT out.
    return date if date.tzinfo else date.replace(tzinfo=datetime.UTC)


def _continues(headers: httpx.Headers, size: int, version: Version) -> bool:
    """Whether a part begins where the file on disk ends, and belongs to the same version of it."""
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if match is None or int(match[1]) != size:
        return False
    if match[3] != "*" and version.total not in {None, int(match[3])}:
        return False
    return headers.get("ETag") in {None, version.etag}
