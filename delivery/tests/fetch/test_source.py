"""What is fetched for which source."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codemodel_delivery.fetch.errors import RefusedSource
from codemodel_delivery.fetch.source import is_hub, parse_source, shown

MIRROR = {"HF_ENDPOINT": "http://mirror.example:8080/hub/"}
HUB = "https://huggingface.co"


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("hf://org/repo/model.gguf", f"{HUB}/org/repo/resolve/main/model.gguf"),
        ("HF://Org/Repo/model.gguf", f"{HUB}/Org/Repo/resolve/main/model.gguf"),
        ("hf://org/repo/a/b/model.gguf@v1.0", f"{HUB}/org/repo/resolve/v1.0/a/b/model.gguf"),
        ("hf://org/repo/model.gguf@refs/pr/7", f"{HUB}/org/repo/resolve/refs%2Fpr%2F7/model.gguf"),
        ("hf://org/repo/a@b.gguf@main", f"{HUB}/org/repo/resolve/main/a%40b.gguf"),
        ("hf://org/repo/my model+ü.gguf", f"{HUB}/org/repo/resolve/main/my%20model%2B%C3%BC.gguf"),
        ("hf://org/repo/50%25.gguf", f"{HUB}/org/repo/resolve/main/50%2525.gguf"),
        ("hf://org/repo/%2e%2e/x", f"{HUB}/org/repo/resolve/main/%252e%252e/x"),
    ],
)
def test_a_file_of_the_hub(source: str, url: str) -> None:
    assert str(parse_source(source, {})) == url


@pytest.mark.parametrize("endpoint", ["http://mirror.example:8080/hub", "http://mirror.example:8080/hub//"])
def test_a_mirror_takes_the_place_of_the_hub(endpoint: str) -> None:
    url = parse_source("hf://org/repo/model.gguf", {"HF_ENDPOINT": endpoint})
    assert str(url) == "http://mirror.example:8080/hub/org/repo/resolve/main/model.gguf"


def test_an_empty_endpoint_is_none() -> None:
    assert parse_source("hf://org/repo/model.gguf", {"HF_ENDPOINT": ""}).host == "huggingface.co"


def test_other_sources_do_not_go_to_the_mirror() -> None:
    assert str(parse_source("https://host.example/x?a=b", MIRROR)) == "https://host.example/x?a=b"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("hf://", "no organization, repository or file"),
        ("hf://org", "no organization, repository or file"),
        ("hf://org/repo", "no organization, repository or file"),
        ("hf://org/repo@main", "no organization, repository or file"),
        ("hf://org@main/repo/model.gguf", "no organization, repository or file"),
        ("hf://org/repo/", "an empty name"),
        ("hf:///repo/model.gguf", "an empty name"),
        ("hf://org//model.gguf", "an empty name"),
        ("hf://org/repo/folder/", "an empty name"),
        ("hf://org/repo/model.gguf@", "an empty name"),
        ("hf://org/repo/model.gguf@refs//7", "an empty name"),
        ("hf://org/repo/../model.gguf", "'..'"),
        ("hf://../repo/model.gguf", "'..'"),
        ("hf://org/repo/./model.gguf", "'.'"),
        ("hf://org/repo/model.gguf@../../api", "'..'"),
        ("hf://org/repo/model.gguf?download=true", "a ?, #"),
        ("hf://org/repo/model.gguf#x", "a ?, #"),
        ("hf://org/repo/..\\model.gguf", "a ?, #"),
        ("hf://org/repo/model\n.gguf", "control character"),
        ("hf://org/repo/model\udcff.gguf", "control character"),
    ],
)
def test_what_is_wrong_with_a_hub_source_is_told(source: str, problem: str) -> None:
    with pytest.raises(RefusedSource) as raised:
        parse_source(source, {})
    assert problem in str(raised.value)
    assert "give hf://ORG/REPO/PATH" in str(raised.value)


@pytest.mark.parametrize(
    "endpoint",
    ["mirror.example", "ftp://mirror.example", "http://me:SECRET@mirror.example", "http://m/?SECRET"],
)
def test_a_wrong_endpoint_is_told(endpoint: str) -> None:
    with pytest.raises(RefusedSource, match="HF_ENDPOINT") as raised:
        parse_source("hf://org/repo/model.gguf", {"HF_ENDPOINT": endpoint})
    assert "SECRET" not in str(raised.value)


_TEXT = st.text(st.one_of(st.sampled_from("/@.:?#%\\[]& "), st.characters()), max_size=40)


@given(_TEXT)
def test_whatever_is_written_the_hub_is_asked_and_the_path_below_it(text: str) -> None:
    try:
        url = parse_source(f"hf://{text}", MIRROR)
    except RefusedSource:
        return
    assert (url.scheme, url.host, url.port, url.query, url.userinfo) == (
        "http",
        "mirror.example",
        8080,
        b"",
        b"",
    )
    steps = url.raw_path.decode("ascii").split("/")
    assert steps[:2] == ["", "hub"]
    assert steps[4] == "resolve"
    assert not {"", ".", ".."} & set(steps[2:])
    where, _, revision = text.rpartition("@") if "@" in text else (text, "", "main")
    assert [unquote(step) for step in steps[2:4] + steps[6:]] == where.split("/")
    assert unquote(steps[5]) == revision


def test_the_source_in_a_message_is_what_was_given_without_secrets() -> None:
    assert shown("hf://Org/Repo/model.gguf@v1") == "hf://Org/Repo/model.gguf@v1"
    assert shown("https://user:pw@host.example/x?signature=y#z") == "https://host.example/x"
    assert not is_hub("https://host.example/hf://org/repo/x")
