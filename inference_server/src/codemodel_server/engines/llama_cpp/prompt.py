"""From what a user wrote to what a model is given."""

from collections.abc import Sequence

from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from codemodel_server.engines.base import GenerationRequest, Message
from codemodel_server.engines.llama_cpp.native import NativeModel
from codemodel_server.errors import InvalidRequestError, LoadError


class PromptFormat:
    """A model's way of writing a conversation.

    Models with a chat template (instruct models) get the user's text as a turn of a conversation, the others as it is.
    The template comes with the model file, so it runs in Jinja's immutable sandbox.

    Raises:
        LoadError: the template is not valid Jinja.
    """

    def __init__(self, model: NativeModel) -> None:
        self._model = model
        self._begin = model.token_text(model.beginning_of_text)
        self._format: Jinja2ChatFormatter | None = None
        if model.chat_template is None:
            return
        try:
            self._format = Jinja2ChatFormatter(
                template=model.chat_template,
                bos_token=self._begin,
                eos_token=model.token_text(model.end_of_text),
            )
            self.tokens("x")
        except Exception as error:
            message = f"the model's chat template does not work: {error}: use a model file with a valid one"
            raise LoadError(message) from error

    def of_request(self, request: GenerationRequest) -> list[int]:
        """Token ids of all that a request gives to read.

        Raises:
            InvalidRequestError: the model cannot fill in or converse; the field that asks it to is named.
        """
        if request.suffix is not None:
            return self._between(request.prompt, request.suffix)
        if not request.messages:
            return self.tokens(request.prompt)
        if self._format is None:
            message = "this model has no chat template: send `prompt` in place of `messages`"
            raise InvalidRequestError(message, field="messages")
        try:
            return self._conversation(self._format, request.messages)
        except Exception as error:
            # Templates refuse, for example, a system message or two turns of the same role.
            message = f"the model's chat template refuses this conversation: {error}"
            raise InvalidRequestError(message, field="messages") from error

    def tokens(self, prompt: str) -> list[int]:
        """Token ids that ask the model to continue or to answer `prompt`."""
        if self._format is None:
            return self._model.tokenize(prompt, add_special=True, parse_special=False)
        return self._conversation(self._format, (Message("user", prompt),))

    def _between(self, prefix: str, suffix: str) -> list[int]:
        """Prefix, suffix, middle: the order that models with these three tokens are trained on."""
        before, after, middle = self._model.fill_in_tokens
        if min(before, after, middle) < 0:
            message = "this model has no tokens for filling in the middle: leave `suffix` out"
            raise InvalidRequestError(message, field="suffix")
        begin = [self._model.beginning_of_text] if self._model.adds_beginning_of_text else []
        texts = [
            self._model.tokenize(text, add_special=False, parse_special=False) for text in (prefix, suffix)
        ]
        return [*begin, before, *texts[0], after, *texts[1], middle]

    def _conversation(self, template: Jinja2ChatFormatter, turns: Sequence[Message]) -> list[int]:
        text = template(messages=[{"role": turn.role, "content": turn.content} for turn in turns]).prompt
        # Most templates write the beginning-of-text token themselves, and it must not come twice.
        written = bool(self._begin) and text.startswith(self._begin)
        return self._model.tokenize(text, add_special=not written, parse_special=True)
