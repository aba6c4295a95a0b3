"""What may be fetched."""

import httpx

from codemodel_delivery.fetch.errors import RefusedSource


def parse_source(text: str) -> httpx.URL:
    """Reads a model's URL.

    Raises:
        RefusedSource: it is not an http:// or https:// URL with a host, or it carries credentials.
    """
    # What may be a password is not repeated in the message, which ends up in status and events.
    name = "the source" if "@" in text else repr(text)
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RefusedSource(f"{name} is not a URL: give an http:// or https:// URL") from error
    if url.userinfo:
        raise RefusedSource("the source has a user name or password in it: put a token into a Secret instead")
    if url.scheme not in {"http", "https"} or not url.host:
        raise RefusedSource(f"{name} is not an http:// or https:// URL: only these are fetched")
    return url


def shown(url: httpx.URL) -> str:
    """A URL without the parts that may carry a secret: name and password, and the signature in a query."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None))


def refuse_downgrade(first: httpx.URL, now: httpx.URL) -> None:
    """Keeps a redirect from leaving encryption.

    Raises:
        RefusedSource: `first` is https:// and `now` is not.
    """
    if first.scheme == "https" and now.scheme != "https":
        message = f"{shown(first)} redirects to {shown(now)}, without encryption: use a source that does not"
        raise RefusedSource(message)
