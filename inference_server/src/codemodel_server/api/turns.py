"""The turns of a conversation, as OpenAI writes them."""

from typing import Annotated

from pydantic import Field, JsonValue

from codemodel_server.api.fields import Lenient
from codemodel_server.engines.request import Message
from codemodel_server.errors import InvalidRequestError

_MOST_TURNS = 1024
_MOST_PARTS = 256
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


class Part(Lenient):
    """A part of a message; only text can be read."""

    type: str
    text: str | None = None


class ChatTurn(Lenient):
    """One turn of a conversation."""

    role: str
    content: str | Annotated[list[Part], Field(max_length=_MOST_PARTS)] | None = None
    tool_calls: JsonValue = None
    function_call: JsonValue = None


Turns = Annotated[list[ChatTurn], Field(min_length=1, max_length=_MOST_TURNS)]


def messages_of(turns: list[ChatTurn]) -> tuple[Message, ...]:
    """The turns of a conversation. A last one of the assistant is the beginning of the answer.

    Raises:
        InvalidRequestError: one of them is not possible, there is nothing in any of them, or the answer begins twice.
    """
    messages = tuple(_message_of(turn, number) for number, turn in enumerate(turns))
    if not any(message.content for message in messages):
        raise InvalidRequestError("messages: must not be empty", field="messages")
    if [message.role for message in messages[-2:]] == ["assistant", "assistant"]:
        message = "messages: the last one may be the beginning of the answer, but not the last two"
        raise InvalidRequestError(message, field="messages")
    return messages


def _message_of(turn: ChatTurn, number: int) -> Message:
    """A turn of a conversation.

    Raises:
        InvalidRequestError: its role or its content is not possible.
    """
    place = f"messages.{number}"
    role = _ROLES.get(turn.role)
    if role is None or turn.tool_calls or turn.function_call:
        message = f"{place}: roles are system, developer, user and assistant, and there are no calls of tools"
        raise InvalidRequestError(message, field="messages")
    if turn.content is None and role != "assistant":
        raise InvalidRequestError(f"{place}.content: is missing", field="messages")
    return Message(role, _text(turn.content or "", place))  # type: ignore[arg-type]  # one of _ROLES


def _text(content: str | list[Part], place: str) -> str:
    if isinstance(content, str):
        return content
    for part in content:
        if part.type != "text" or part.text is None:
            kind = part.type[:32]
            message = f"{place}.content: this model reads text only, not parts of the type {kind!r}"
            raise InvalidRequestError(message, field="messages")
    return "\n".join(part.text or "" for part in content)
