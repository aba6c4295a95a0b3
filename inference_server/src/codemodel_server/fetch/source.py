"""What may be fetched."""

import httpx

from codemodel_server.fetch.errors import RefusedSource


def parse_source(text: str) -> httpx.URL:
    """Reads a model's URL.

    Raises:
        RefusedSource: it is not an http:// or https:// URL with a host, or it carries credentials.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RefusedSource(f"{text!r} is not a URL ({error}): give an http:// or https:// URL") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise RefusedSource(f"{text!r} is not an http:// or https:// URL: only these are fetched")
    if url.userinfo:
        # Not repeated in the message, which ends up in status and events.
        raise RefusedSource("the URL has a user name or password in it: put a token into a Secret instead")
    return url


def refuse_downgrade(first: httpx.URL, now: httpx.URL) -> None:
    """Keeps a redirect from leaving encryption.

    Raises:
        RefusedSource: `first` is https:// and `now` is not.
    """
    if first.scheme == "https" and now.scheme != "https":
        raise RefusedSource(f"{first} redirects to {now}, without encryption: use a source that does not")
