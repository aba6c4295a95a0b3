"""Text is cut into tokens anywhere, and comes out whole."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from codemodel_server.engines.text import TextStream

texts = st.text(alphabet="ab\né名🐍", max_size=30)


def streamed(data: bytes, cuts: list[int], stop: list[str]) -> tuple[list[str], bool]:
    stream = TextStream(stop)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    pieces = [stream.feed(data[start:end]) for start, end in itertools.pairwise(edges)]
    return [*pieces, stream.flush()], stream.stopped


@given(texts, st.lists(st.integers(0, 200), max_size=20))
def test_characters_are_never_broken(text: str, cuts: list[int]) -> None:
    pieces, _ = streamed(text.encode(), cuts, [])
    assert "".join(pieces) == text


@given(
    texts, st.lists(st.integers(0, 200), max_size=20), st.lists(texts.filter(bool), min_size=1, max_size=3)
)
def test_text_ends_before_the_first_stop_text(text: str, cuts: list[int], stop: list[str]) -> None:
    pieces, stopped = streamed(text.encode(), cuts, stop)
    answer = "".join(pieces)
    assert text.startswith(answer)
    assert stopped == any(word in text for word in stop)
    assert not any(word in answer for word in stop)
    if not stopped:
        assert answer == text


def test_broken_utf8_is_replaced() -> None:
    pieces, _ = streamed(b"a\xffb\xe5\x90", [2], [])
    assert "".join(pieces) == "a\ufffdb\ufffd"
