"""What a model is given to read: conversations, plain text and tokens, and code around a hole."""

import pytest

from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.prompt import PromptFormat, fit
from codemodel_server.engines.request import (
    Conversation,
    GenerationRequest,
    Infill,
    Instruction,
    Message,
    Plain,
    Reading,
    Snippet,
)
from codemodel_server.errors import InvalidRequestError, LoadError

CONTEXT = 4096


class Letters:
    """A model whose tokens are the letters of a text, with 1, 2, 3 for filling in and 0 for the beginning."""

    def __init__(
        self,
        template: str | None = None,
        name: str = "",
        fill_in: tuple[int, int, int] = (1, 2, 3),
        repository: tuple[int, int] = (-1, -1),
        order: str = "",
    ) -> None:
        self.chat_template = template
        self.fill_in_tokens = fill_in
        self.repository_tokens = repository
        self.beginning_of_text, self.end_of_text = 0, 4
        self.adds_beginning_of_text = True
        self.vocabulary_size = 1000
        self._said = {"general.name": name, "codemodel.infill.order": order}

    check = NativeModel.check

    def metadata(self, key: str) -> str:
        return self._said.get(key, "")

    def token_text(self, token: int) -> str:
        return {0: "<s>", 4: "</s>"}.get(token, "")

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        begin = [0] if add_special else []
        if parse_special and text.startswith("<s>"):
            begin, text = [*begin, 0], text.removeprefix("<s>")
        return [*begin, *map(ord, text)]


def read(model: Letters, reading: Reading, max_tokens: int = 1, context: int = CONTEXT) -> list[int]:
    form = PromptFormat(model)  # type: ignore[arg-type]
    return form.tokens(GenerationRequest(reading, max_tokens), context)


def letters(text: str) -> list[int]:
    return [*map(ord, text)]


def test_an_instruction_is_a_turn_for_models_that_converse_and_text_for_others() -> None:
    assert read(Letters("{{ messages[0].content }}!"), Instruction("x")) == [0, *letters("x!")]
    assert read(Letters(), Instruction("x")) == [0, ord("x")]
    assert read(Letters(name="CodeLlama Instruct"), Instruction("x")) == [0, *letters("[INST] x [/INST]")]


def test_without_a_template_conversations_are_written_as_code_llama_does() -> None:
    turns = [("system", "be brief"), ("user", "hi"), ("assistant", "yo"), ("user", "bye")]
    form = PromptFormat(Letters())  # type: ignore[arg-type]
    text = form.conversation([Message(role, content) for role, content in turns])  # type: ignore[arg-type]
    system = "<<SYS>>\nbe brief\n<</SYS>>\n\n"
    assert text == f"<s>[INST] {system}hi [/INST] yo </s><s>[INST] bye [/INST]"


def test_the_beginning_of_text_never_comes_twice() -> None:
    form = PromptFormat(Letters("{{ bos_token }}{{ messages[0].content }}"))  # type: ignore[arg-type]
    asked = GenerationRequest(Conversation((Message("user", "x"),)), 1)
    assert form.tokens(asked, CONTEXT) == [0, ord("x")]


def test_filling_in_puts_the_models_tokens_around_the_hole() -> None:
    assert read(Letters(), Infill("a", "b")) == [0, 1, ord("a"), 2, ord("b"), 3]
    assert read(Letters(), Infill("a", "b", prompt="c")) == [0, 1, *letters("ac"), 2, ord("b"), 3]


def test_the_suffix_comes_first_where_the_model_file_says_so() -> None:
    model = Letters(order="spm", repository=(5, 6))
    assert read(model, Infill("a", "b", prompt="c")) == [0, 1, 2, ord("b"), 3, *letters("ac")]
    asked = Infill("p" * 500, "s" * 500, (Snippet("x.py", "e" * 500),))
    tokens = read(model, asked, max_tokens=100, context=400)
    assert len(tokens) == 300
    assert tokens.count(ord("p")) > 2 * tokens.count(ord("s"))
    assert read(Letters(order="psm"), Infill("a", "b")) == [0, 1, ord("a"), 2, ord("b"), 3]


def test_other_files_come_before_with_their_names_where_the_model_knows_how() -> None:
    extra = (Snippet("x.py", "1"), Snippet("y.py", "2"))
    named = read(Letters(repository=(5, 6)), Infill("a", "b", extra))
    text = [
        5,
        *letters("repository\n"),
        6,
        *letters("x.py\n1"),
        6,
        *letters("y.py\n2"),
        6,
        *letters("current\n"),
    ]
    assert named == [*text, 0, 1, ord("a"), 2, ord("b"), 3]
    plain = read(Letters(), Infill("a", "b", extra))
    assert plain[-6:] == [0, 1, ord("a"), 2, ord("b"), 3]
    assert "".join(map(chr, plain[:-6])).count("snippet") == 2


def test_what_is_far_from_the_cursor_is_left_out_first() -> None:
    extra = (Snippet("x.py", "e" * 500),)
    tokens = read(Letters(), Infill("p" * 50, "s" * 50, extra), max_tokens=100, context=400)
    assert len(tokens) == 300
    assert tokens.count(ord("p")) == tokens.count(ord("s")) == 50
    tokens = read(Letters(), Infill("p" * 500, "s" * 500, extra), max_tokens=100, context=400)
    assert len(tokens) == 300
    assert tokens.count(ord("e")) == 0
    assert tokens.count(ord("p")) > 2 * tokens.count(ord("s"))


@pytest.mark.parametrize(
    ("prefix", "suffix", "room", "kept"),
    [
        (10, 10, 20, (10, 10)),
        (90, 90, 40, (30, 10)),
        (90, 5, 40, (35, 5)),
        (5, 90, 40, (5, 35)),
        (9, 9, 0, (0, 0)),
    ],
)
def test_the_parts_around_the_cursor_that_fit(
    prefix: int, suffix: int, room: int, kept: tuple[int, int]
) -> None:
    before, after = fit(list(range(prefix)), list(range(suffix)), room)
    assert (len(before), len(after)) == kept
    assert before == list(range(prefix))[prefix - len(before) :]
    assert after == list(range(suffix))[: len(after)]


def test_a_model_that_cannot_fill_in_says_which_field_to_leave_out() -> None:
    with pytest.raises(InvalidRequestError) as refused:
        read(Letters(fill_in=(1, 2, -1)), Infill("a", "b"))
    assert refused.value.field == "suffix"


def test_plain_tokens_are_read_as_they_are() -> None:
    assert read(Letters(), Plain((7, 8))) == [7, 8]
    for wrong in ((), (7, 1000), (-1,)):
        with pytest.raises(InvalidRequestError):
            read(Letters(), Plain(wrong))


def test_a_template_may_refuse_and_cannot_leave_its_sandbox() -> None:
    picky = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}x"
    with pytest.raises(InvalidRequestError, match="no system"):
        read(Letters(picky), Conversation((Message("system", "x"), Message("user", "y"))))
    nosy = "{% if messages|length > 1 %}{{ messages.__class__.__mro__ }}{% endif %}x"
    with pytest.raises(InvalidRequestError, match="unsafe"):
        read(Letters(nosy), Conversation((Message("user", "x"), Message("user", "y"))))


def test_a_broken_template_is_said_at_load() -> None:
    with pytest.raises(LoadError, match="chat template"):
        PromptFormat(Letters("{% if %}"))  # type: ignore[arg-type]
