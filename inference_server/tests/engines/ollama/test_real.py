"""The Ollama engine against a real Ollama that serves the sample model."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from codemodel_server.cancellation import Cancellation
from codemodel_server.engines.events import Event, Finish, Text, Waiting
from codemodel_server.engines.ollama import OllamaEngine
from codemodel_server.engines.request import (
    Conversation,
    GenerationRequest,
    Infill,
    Instruction,
    Message,
    Plain,
    Reading,
    Sampling,
)
from codemodel_server.errors import InvalidRequestError, LoadError, UpstreamError
from e2e.ports import free_ports
from inference_server.tests.engines.ollama.build import OLLAMA
from inference_server.tests.support import eventually

MODEL = "sample-coder"
TEMPLATE = (
    "{{ if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>"
    "{{ else }}{{ .Prompt }}{{ end }}"
)
# Building takes minutes where it was not done before.
pytestmark = pytest.mark.timeout(1800)


class Ollama:
    """An Ollama server with one model, on a free port of the loopback interface."""

    def __init__(self, folder: Path, model: Path) -> None:
        (port,) = free_ports(1)
        self.host = f"127.0.0.1:{port}"
        self._program = OLLAMA.build() / "ollama"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "OLLAMA_HOST": self.host,
            "OLLAMA_MODELS": str(folder / "models"),
        }
        self._log = (folder / "ollama.log").open("wb")
        # A group of its own: Ollama's runners are its children, and are killed with it.
        self._process = subprocess.Popen(
            [self._program, "serve"],
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            eventually(self._answers, "Ollama answers")
            modelfile = folder / "Modelfile"
            # One thread: several that wait for one another take minutes on a busy machine.
            modelfile.write_text(f'FROM {model}\nPARAMETER num_thread 1\nTEMPLATE """{TEMPLATE}"""\n')
            create = (self._program, "create", MODEL, "-f", modelfile)
            subprocess.run(create, env=self._environment, check=True, capture_output=True)
        except BaseException:
            self.kill()
            raise

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://{self.host}/", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def engine(self, model: str = MODEL, context_length: int = 512) -> OllamaEngine:
        return OllamaEngine(f"http://{self.host}", model, context_length, 1)

    def answered(self) -> int:
        """How many answers have ended, by its log."""
        return Path(self._log.name).read_text().count('"/api/generate"')

    def kill(self) -> None:
        """Ends it without a word, as often as one likes."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


@pytest.fixture(scope="module")
def ollama(tmp_path_factory: pytest.TempPathFactory, sample_model: Path) -> Iterator[Ollama]:
    """A real Ollama."""
    server = Ollama(tmp_path_factory.mktemp("ollama"), sample_model)
    yield server
    server.kill()


def asking(reading: Reading, tokens: int | None = 8, stop: tuple[str, ...] = ()) -> GenerationRequest:
    return GenerationRequest(reading, tokens, Sampling(temperature=0, seed=1), stop=stop)


def run(engine: OllamaEngine, request: GenerationRequest) -> list[Event]:
    """The events, without those that only say that Ollama loads the model."""
    return [e for e in engine.prepare(request).run(Cancellation()) if not isinstance(e, Waiting)]


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def end(events: list[Event]) -> Finish:
    assert isinstance(events[-1], Finish)
    return events[-1]


def test_the_model_is_known(ollama: Ollama) -> None:
    engine = ollama.engine()
    engine.load()
    facts = engine.facts()
    assert facts.trained_context == 4096
    assert facts.parameters > 1_000_000
    assert facts.infill


@pytest.mark.parametrize(
    "reading",
    [
        Instruction("def add(a, b):"),
        Plain("def add(a, b):"),
        Conversation((Message("user", "add two numbers"),)),
        Infill("def add(a, b):\n    return ", "\n\nprint(add(1, 2))"),
    ],
)
def test_every_reading_is_streamed_and_counted(ollama: Ollama, reading: Reading) -> None:
    events = run(ollama.engine(), asking(reading))
    pieces = [event for event in events if isinstance(event, Text)]
    assert len(pieces) > 1
    assert end(events).prompt_tokens > 1
    assert end(events).completion_tokens <= 8
    assert end(events).decode_seconds > 0
    assert text(run(ollama.engine(), asking(reading))) == text(events)


def test_a_stop_text_ends_the_answer(ollama: Ollama) -> None:
    engine = ollama.engine()
    whole = text(run(engine, asking(Plain("def add"), 20)))
    stop = whole[6:9]
    events = run(engine, asking(Plain("def add"), 20, (stop,)))
    assert text(events) == whole[: whole.index(stop)]
    assert end(events).reason == "stop"


def test_nothing_is_written_where_only_reading_was_asked_for(ollama: Ollama) -> None:
    (finish,) = run(ollama.engine(), asking(Plain("def add(a, b):"), 0))
    assert end([finish]).prompt_tokens > 1


def test_a_prompt_longer_than_the_context_is_refused(ollama: Ollama) -> None:
    with pytest.raises(InvalidRequestError, match="refuses"):
        run(ollama.engine(context_length=64), asking(Plain("def add(a, b):\n" * 100)))


def test_a_missing_model_is_said_to_be_missing(ollama: Ollama) -> None:
    engine = ollama.engine("no-such-model")
    with pytest.raises(LoadError, match="ollama pull no-such-model"):
        engine.load()
    with pytest.raises(UpstreamError, match="ollama pull no-such-model"):
        run(engine, asking(Plain("x")))


def test_a_client_that_leaves_ends_ollamas_work_too(tmp_path: Path, sample_model: Path) -> None:
    # An Ollama of its own: this one's slot may be lost afterwards. Its handler ends when the client leaves, but what
    # feeds it waits for ever if it had just written a token (v0.17.4: an unbuffered channel that nobody reads).
    server = Ollama(tmp_path, sample_model)
    try:
        engine = server.engine(context_length=4096)
        cancellation = Cancellation()
        events = engine.prepare(asking(Plain("x"), 4000)).run(cancellation)
        while not isinstance(next(events), Text):
            pass
        assert server.answered() == 0
        cancellation.cancel()
        assert not [event for event in events if isinstance(event, Finish)]
        assert engine.activity().slots == ()
        eventually(server.answered, "Ollama ends the answer", 10)
    finally:
        server.kill()


def test_leaving_does_not_wait_for_an_ollama_that_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        engine = OllamaEngine(f"http://127.0.0.1:{silent.getsockname()[1]}", MODEL, 512, 1)
        cancellation = Cancellation()
        events = engine.prepare(asking(Plain("x"))).run(cancellation)
        leaving = threading.Timer(0.2, cancellation.cancel)
        leaving.start()
        assert not [event for event in events if isinstance(event, Finish)]
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(5)
            while connection.recv(4096):
                pass
        leaving.join()


def test_an_ollama_that_dies_is_an_error_and_then_absent(tmp_path: Path, sample_model: Path) -> None:
    server = Ollama(tmp_path, sample_model)
    try:
        engine = server.engine(context_length=4096)
        events = engine.prepare(asking(Plain("x"), 4000)).run(Cancellation())
        while not isinstance(next(events), Text):
            pass
    finally:
        server.kill()
    with pytest.raises(UpstreamError, match=r"ollama serve|ended its answer early|failed"):
        list(events)
    with pytest.raises(LoadError, match="ollama serve"):
        engine.load()
