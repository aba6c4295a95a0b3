"""What answers look like, for the OpenAPI document; a test compares them with real answers. More fields may come."""

from typing import Any, Literal

from pydantic import BaseModel, RootModel


class OwnProblem(BaseModel):
    """What is wrong, by this server's own names."""

    message: str
    type: str
    field: str | None


class OwnError(BaseModel):
    """An error of the server's own routes."""

    error: OwnProblem


class OpenAiProblem(BaseModel):
    """What is wrong, by OpenAI's names."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAiError(BaseModel):
    """An error of OpenAI's routes."""

    error: OpenAiProblem


class LlamaCppProblem(BaseModel):
    """What is wrong, by llama.cpp's names."""

    code: int
    message: str
    type: str


class LlamaCppError(BaseModel):
    """An error of llama.cpp's routes."""

    error: LlamaCppProblem


class Usage(BaseModel):
    """Tokens of an answer."""

    prompt_tokens: int
    completion_tokens: int


class ChatAnswer(BaseModel):
    """An answer of /chat."""

    response: str
    model: str
    engine: str
    replica: str
    finish_reason: Literal["stop", "length"]
    usage: Usage
    latency_seconds: float
    time_to_first_token_seconds: float


class Said(BaseModel):
    """The model's turn."""

    role: Literal["assistant"]
    content: str


class ChatChoice(BaseModel):
    """One answer to a conversation."""

    index: int
    message: Said
    finish_reason: Literal["stop", "length"]


class ChatCompletion(BaseModel):
    """An answer of /v1/chat/completions and /v1/fim/completions."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: Usage


class TextChoice(BaseModel):
    """One answer to a prompt."""

    index: int
    text: str
    logprobs: dict[str, Any] | None
    finish_reason: Literal["stop", "length"]


class Completion(BaseModel):
    """An answer of /v1/completions."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[TextChoice]
    usage: Usage


class Model(BaseModel):
    """The model that is served."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(BaseModel):
    """All models that are served: one."""

    object: Literal["list"]
    data: list[Model]


class LlamaAnswer(BaseModel):
    """An answer of /completion and /infill; with `response_fields`, only these."""

    content: str | None = None
    stop: bool | None = None
    tokens: list[int] | None = None
    stop_type: Literal["eos", "limit", "word", "none"] | None = None
    stopping_word: str | None = None
    tokens_predicted: int | None = None
    tokens_evaluated: int | None = None
    timings: dict[str, float] | None = None
    generation_settings: dict[str, Any] | None = None


class LlamaAnswers(RootModel[LlamaAnswer | list[LlamaAnswer]]):
    """One answer, or a list of them to a list of prompts."""


class TokenList(BaseModel):
    """The tokens of a text, with their text if that was asked for."""

    tokens: list[int | dict[str, Any]]


class Content(BaseModel):
    """The text of tokens."""

    content: str


class Prompt(BaseModel):
    """The prompt that a conversation becomes."""

    prompt: str


class Props(BaseModel):
    """What editors want to know of the model."""

    default_generation_settings: dict[str, Any]
    total_slots: int
    model_path: str
    chat_template: str


class Slot(BaseModel):
    """A generation under way, or a place for one."""

    id: int
    n_ctx: int
    is_processing: bool


class Slots(RootModel[list[Slot]]):
    """What is generated now."""


class Health(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether requests are taken."""

    status: str
    model: str
    engine: str
    reason: str | None = None


class Info(BaseModel):
    """Which model answers."""

    model: str
    engine: str
    replica: str
    context_length: int
    version: str


class Live(BaseModel):
    """What is done now."""

    replica: str
    status: str
    running: int
    waiting: int
    tokens_per_second: float
