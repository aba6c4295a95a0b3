"""From what a user wrote to what a model is given."""

from collections.abc import Sequence

from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.template import ChatTemplate
from codemodel_server.engines.request import (
    Conversation,
    GenerationRequest,
    Infill,
    Instruction,
    Message,
    Plain,
    Snippet,
)
from codemodel_server.errors import InvalidRequestError, LoadError

# The prompt format of CodeLlama's and Llama 2's instruct models, whose older files carry no template.
_CODE_LLAMA = (
    "{% set ns = namespace(system='') %}"
    "{% for message in messages %}"
    "{% if message.role == 'system' %}"
    "{% set ns.system = '<<SYS>>\n' + message.content + '\n<</SYS>>\n\n' %}"
    "{% elif message.role == 'user' %}"
    "{{ bos_token + '[INST] ' + ns.system + message.content + ' [/INST]' }}{% set ns.system = '' %}"
    "{% else %}{{ ' ' + message.content + ' ' + eos_token }}{% endif %}"
    "{% endfor %}"
)
# Words in a model's name by which its makers say that it was trained on conversations.
_CONVERSING = ("instruct", "chat")
# Of the room that the text around the cursor gets, so much is for what comes before it (as in llama.cpp's /infill).
_PREFIX_SHARE = 0.75
# An answer between two texts of unknown length is given so much of the context at least.
_INFILL_ANSWER = 0.25
# Where a model file says that it was trained with the suffix first; GGUF has no key of its own for it.
_INFILL_ORDER = "codemodel.infill.order"
_SUFFIX_FIRST = "spm"
_NO_FILE_NAME = "\n\n--- snippet ---\n\n"


class PromptFormat:
    """A model's way of writing a conversation, and of filling in.

    Models with a chat template, and those called instruct models, get the user's text as a turn of a conversation, the
    others as it is. The template comes with the model file, so it runs in Jinja's immutable sandbox.

    Attributes:
        template: Jinja; empty if the model file has none.

    Raises:
        LoadError: the template is not valid Jinja.
    """

    def __init__(self, model: NativeModel) -> None:
        self._model = model
        self._begin = model.token_text(model.beginning_of_text)
        self.template = model.chat_template or ""
        name = model.metadata("general.name").lower() + model.metadata("general.finetune").lower()
        self._suffix_first = model.metadata(_INFILL_ORDER) == _SUFFIX_FIRST
        self._converses = bool(self.template) or any(word in name for word in _CONVERSING)
        try:
            self._format = ChatTemplate(
                self.template or _CODE_LLAMA, self._begin, model.token_text(model.end_of_text)
            )
            self.conversation([Message("user", "x")])
        except Exception as error:
            message = f"the model's chat template does not work: {error}: use a model file with a valid one"
            raise LoadError(message) from error

    def tokens(self, request: GenerationRequest, context_length: int) -> list[int]:
        """Token ids of all that a request gives to read.

        Args:
            request: what is read; of a text to fill in, what is far from the cursor is left out if all is too long.
            context_length: tokens that prompt and answer may have together.

        Raises:
            InvalidRequestError: the model cannot fill in or converse, or a token is not in its vocabulary.
        """
        match request.reading:
            case Instruction(prompt) if self._converses:
                return self._converse([Message("user", prompt)])
            case Instruction(prompt) | Plain(str(prompt)):
                # What a program sends as it is may name control tokens; what a person writes may not.
                special = isinstance(request.reading, Plain)
                return self._model.tokenize(prompt, add_special=True, parse_special=special)
            case Plain(content):
                return self._known([int(token) for token in content])
            case Conversation(messages):
                return self._converse(messages)
            case Infill() as infill:
                answer = request.max_tokens or int(context_length * _INFILL_ANSWER)
                return self._between(infill, context_length - min(answer, context_length // 2))

    def conversation(self, messages: Sequence[Message], *, answered: bool = True) -> str:
        """The prompt that a conversation becomes.

        Args:
            messages: a last one of the assistant is the beginning of the answer.
            answered: whether the prompt ends where the answer begins.

        Raises:
            InvalidRequestError: the template refuses it, for example a system message or two turns of one role.
        """
        begun = [turn.content for turn in messages[-1:] if turn.role == "assistant"]
        turns = [
            {"role": turn.role, "content": turn.content} for turn in messages[: len(messages) - len(begun)]
        ]
        try:
            return self._format.render(turns, answered=answered or bool(begun)) + "".join(begun)
        except Exception as error:
            message = f"the model's chat template refuses this conversation: {error}"
            raise InvalidRequestError(message, field="messages") from error

    def _converse(self, turns: Sequence[Message]) -> list[int]:
        text = self.conversation(turns)
        # Most templates write the beginning-of-text token themselves, and it must not come twice.
        written = bool(self._begin) and text.startswith(self._begin)
        return self._model.tokenize(text, add_special=not written, parse_special=True)

    def _between(self, infill: Infill, room: int) -> list[int]:
        """Other files, then prefix and suffix in the order that the model was trained on.

        The suffix comes first only where the file says so: `before after SUFFIX middle PREFIX` (Bavarian et al. 2022).
        """
        before, after, middle = self._model.fill_in_tokens
        if min(before, after, middle) < 0:
            message = "this model has no tokens for filling in the middle: leave `suffix` out"
            raise InvalidRequestError(message, field="suffix")
        begin = [self._model.beginning_of_text] if self._model.adds_beginning_of_text else []
        prompt, prefix, suffix = map(self._text, (infill.prompt, infill.prefix, infill.suffix))
        room -= len(begin) + len(prompt) + 3
        prefix, suffix = fit(prefix, suffix, max(0, room))
        room -= len(prefix) + len(suffix)
        extra = self._extra(infill.extra)
        extra = extra[len(extra) - min(len(extra), max(0, room)) :]
        if self._suffix_first:
            return [*extra, *begin, before, after, *suffix, middle, *prefix, *prompt]
        return [*extra, *begin, before, *prefix, *prompt, after, *suffix, middle]

    def _extra(self, snippets: Sequence[Snippet]) -> list[int]:
        if not snippets:
            return []
        repository, file = self._model.repository_tokens
        tokens = [] if repository < 0 else [repository, *self._text("repository\n")]
        for snippet in snippets:
            head = self._text(_NO_FILE_NAME) if file < 0 else [file, *self._text(f"{snippet.filename}\n")]
            tokens += [*head, *self._text(snippet.text)]
        return tokens if file < 0 else [*tokens, file, *self._text("current\n")]

    def _text(self, text: str) -> list[int]:
        return self._model.tokenize(text, add_special=False, parse_special=False)

    def _known(self, tokens: list[int]) -> list[int]:
        self._model.check(tokens, "prompt")
        if not tokens:
            raise InvalidRequestError("there is nothing to read: send at least one token", field="prompt")
        return tokens


def fit(prefix: list[int], suffix: list[int], room: int) -> tuple[list[int], list[int]]:
    """The end of a prefix and the beginning of a suffix that have room together, three parts of it for the prefix."""
    if len(prefix) + len(suffix) <= room:
        return prefix, suffix
    most_suffix = max(room - len(prefix), room - int(room * _PREFIX_SHARE))
    suffix = suffix[:most_suffix]
    return prefix[max(0, len(prefix) - (room - len(suffix))) :], suffix
