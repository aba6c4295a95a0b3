"""What may be fetched, and where it is."""

import os
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from codemodel_delivery.fetch.errors import RefusedSource

HUB_SCHEME = "hf://"
_HUB = "https://huggingface.co"
_HUB_FORM = "give hf://ORG/REPO/PATH or hf://ORG/REPO/PATH@REVISION"


def parse_source(text: str, environment: Mapping[str, str] = os.environ) -> httpx.URL:
    """Finds the URL of a model.

    `hf://org/repo/path[@revision]` is a file of a repository on the Hugging Face Hub, or on the mirror that HF_ENDPOINT
    in the environment names. Without a revision it is that of the branch main. What follows the last `@` is the
    revision, so a path with an `@` in it needs one. All else is taken as it is: a `%` is a `%` of the file's name.

    Raises:
        RefusedSource: it is not an http://, https:// or hf:// URL with all its parts, or it carries credentials.
    """
    if is_hub(text):
        return _hub_url(text[len(HUB_SCHEME) :], environment.get("HF_ENDPOINT") or _HUB)
    return _web_url(text)


def is_hub(text: str) -> bool:
    """Whether a source is a file on the Hugging Face Hub, to which the hub's token belongs."""
    return text[: len(HUB_SCHEME)].lower() == HUB_SCHEME


def shown(source: httpx.URL | str) -> str:
    """A source without the parts that may carry a secret: name and password, and the signature in a query."""
    if isinstance(source, str) and is_hub(source):
        return source
    return str(httpx.URL(source).copy_with(userinfo=b"", query=None, fragment=None))


def refuse_downgrade(first: httpx.URL, now: httpx.URL) -> None:
    """Keeps a redirect from leaving encryption.

    Raises:
        RefusedSource: `first` is https:// and `now` is not.
    """
    if first.scheme == "https" and now.scheme != "https":
        message = f"{shown(first)} redirects to {shown(now)}, without encryption: use a source that does not"
        raise RefusedSource(message)


def _web_url(text: str) -> httpx.URL:
    # What may be a password is not repeated in the message, which ends up in status and events.
    name = "the source" if "@" in text else repr(text)
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise RefusedSource(f"{name} is not a URL: give an http://, https:// or hf:// URL") from error
    if url.userinfo:
        raise RefusedSource("the source has a user name or password in it: put a token into a Secret instead")
    if url.scheme not in {"http", "https"} or not url.host:
        raise RefusedSource(f"{name} is not an http://, https:// or hf:// URL: only these are fetched")
    return url


def _hub_url(text: str, endpoint: str) -> httpx.URL:
    where, at, revision = text.rpartition("@")
    if not at:
        where, revision = text, "main"
    names = where.split("/")
    if len(names) < 3:
        raise RefusedSource(f"the hf:// source has no organization, repository or file in it: {_HUB_FORM}")
    for name in [*names, *revision.split("/")]:
        _check_name(name)
    organization, repository, *path = (quote(name, safe="") for name in names)
    # The hub takes the revision as one segment, its slashes encoded.
    steps = [organization, repository, "resolve", quote(revision, safe=""), *path]
    return _web_url(f"{_checked_endpoint(endpoint)}/{'/'.join(steps)}")


def _check_name(name: str) -> None:
    if not name:
        raise RefusedSource(f"the hf:// source has an empty name in it: {_HUB_FORM}")
    # A server that decodes a path before it looks at the dots would take them for another repository's.
    if name in {".", ".."}:
        raise RefusedSource(f"the hf:// source has a {name!r} in it: {_HUB_FORM}")
    if any(character in "?#\\" for character in name) or not name.isprintable():
        raise RefusedSource(f"the hf:// source has a ?, #, \\ or control character in it: {_HUB_FORM}")


def _checked_endpoint(text: str) -> str:
    """HF_ENDPOINT, without slashes at its end.

    Raises:
        RefusedSource: nothing can be appended to it.
    """
    try:
        url = _web_url(text)
    except RefusedSource as error:
        raise RefusedSource(
            "HF_ENDPOINT is not an http:// or https:// URL without a password: correct it"
        ) from error
    if url.query or url.fragment or "?" in text or "#" in text:
        raise RefusedSource("HF_ENDPOINT has a ? or # in it: give the address that paths are appended to")
    return str(url).rstrip("/")
