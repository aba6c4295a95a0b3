"""From what a user wrote to what a model is given."""

from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from codemodel_server.engines.llama_cpp.native import NativeModel
from codemodel_server.errors import LoadError


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

    def tokens(self, prompt: str) -> list[int]:
        """Token ids that ask the model to continue or to answer `prompt`."""
        if self._format is None:
            return self._model.tokenize(prompt, add_special=True, parse_special=False)
        text = self._format(messages=[{"role": "user", "content": prompt}]).prompt
        # Most templates write the beginning-of-text token themselves, and it must not come twice.
        written = bool(self._begin) and text.startswith(self._begin)
        return self._model.tokenize(text, add_special=not written, parse_special=True)
