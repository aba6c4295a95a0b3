"""What the kernels take for a decode of so many rows: the measurements behind the engine's constants.

`.venv/bin/python -m inference_server.benchmarks.kernels [MODEL]` prints one line of JSON a measurement; with no model
it takes the benchmark's. `engines/llama_cpp/pace.py` and `scheduler.py` say what follows from them. With llama-server's
libraries in LD_LIBRARY_PATH, it measures llama.cpp as it comes.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from codemodel_server.cpu import cpu_quota, thread_count, usable_cpus
from codemodel_server.engines.llama_cpp.native.batch import Piece
from codemodel_server.engines.llama_cpp.native.context import ContextSize, NativeContext, Outcome
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from inference_server.benchmarks import llama_server, model

_CELLS, _BATCH, _STREAMS = 16384, 512, 4
_STREAM_LENGTH = 250
_WRITTEN = 16
_READER, _OTHER = 0, 30
_REPEATS = 3
_FIRST_TOKEN = 300  # Behind control and byte tokens of most vocabularies.


class Kernels:
    """One context in which decodes are timed.

    Args:
        file: the model.
        threads: computing threads.
    """

    def __init__(self, file: Path, threads: int) -> None:
        self._model = NativeModel(file)
        self._context = NativeContext(self._model, ContextSize(_CELLS, _BATCH, 32, threads))
        self._random = np.random.default_rng(0)

    def reading(self, position: int, tokens: int, streams: int) -> float:
        """Seconds of a decode that reads so many tokens of a prompt, beside streams that get one each."""
        self._context.clear()
        for stream in range(1, _STREAMS + 1):
            self._fill(stream, _STREAM_LENGTH)
        self._fill(_READER, position)
        pieces = [self._piece(stream, _STREAM_LENGTH, 1) for stream in range(1, streams + 1)]
        return self._time([*pieces, *([self._piece(_READER, position, tokens)] if tokens else [])])

    def writing(self, streams: int, length: int) -> float:
        """Seconds of a decode of so many streams that hold so many tokens each, the last of which they wrote."""
        self._context.clear()
        for stream in range(streams):
            self._fill(stream, length - _WRITTEN)
        for position in range(length - _WRITTEN, length):
            self._decode([self._piece(stream, position, 1) for stream in range(streams)])
        return self._time([self._piece(stream, length, 1) for stream in range(streams)])

    def keep(self, cells: int) -> None:
        """Leaves nothing in memory but so many cells that no later decode needs."""
        self._context.clear()
        self._fill(_OTHER, cells)

    def looking(self, rows: int) -> float:
        """Seconds of a decode of so many streams that begin, beside what `keep` left."""
        return self._time([self._piece(stream, 0, 1) for stream in range(rows)])

    def _piece(self, sequence: int, position: int, count: int) -> Piece:
        tokens = self._random.integers(_FIRST_TOKEN, self._model.vocabulary_size, count)
        return Piece(sequence, position, tokens.astype(np.int32), output=sequence != _READER)

    def _fill(self, sequence: int, length: int) -> None:
        for position in range(0, length, _BATCH):
            self._decode([self._piece(sequence, position, min(_BATCH, length - position))])

    def _time(self, pieces: list[Piece]) -> float:
        """The shortest of some decodes: nothing makes one faster than it is, but much makes it slower."""
        best = float("inf")
        for _ in range(_REPEATS):
            started = time.perf_counter()
            self._decode(pieces)
            best = min(best, time.perf_counter() - started)
            for piece in pieces:
                self._context.remove(piece.sequence, piece.position)
        return best

    def _decode(self, pieces: list[Piece]) -> None:
        if self._context.decode(pieces) is not Outcome.DONE:
            raise SystemExit("llama.cpp could not decode: give a model that takes 16,384 tokens")


def lines(kernels: Kernels) -> Iterator[str]:
    """All measurements, as lines of JSON."""
    for position in (0, 1250):
        for tokens, streams in ((0, 4), (28, 0), (28, 4), (60, 4), (64, 0), (64, 4), (128, 0), (256, 0)):
            seconds = kernels.reading(position, tokens, streams)
            yield _line("reading", seconds, position=position, tokens=tokens, streams=streams)
    for streams, length in ((1, 76), (4, 76), (16, 76), (1, 1500), (4, 1500)):
        yield _line("writing", kernels.writing(streams, length), streams=streams, length=length)
    # What a multiple of four costs less than the numbers below it, for streams and for prompts.
    kernels.keep(0)
    for rows in (1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15, 16):
        yield _line("rows", kernels.looking(rows), streams=rows)
    for tokens in (16, 28, 31, 32, 61, 62, 63, 64):
        yield _line("rows", kernels.reading(0, tokens, 0), tokens=tokens)
    for kept in (0, 7168):
        kernels.keep(kept)
        for rows in (1, 4, 16):
            yield _line("looking", kernels.looking(rows), kept=kept, rows=rows)


def _line(case: str, seconds: float, **what: int) -> str:
    return json.dumps({"bench": "kernels", "case": case, **what, "milliseconds": round(seconds * 1000, 1)})


def main() -> None:
    """Measures and prints."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else model.build(llama_server.build())
    threads = thread_count(0, cpu_quota(), usable_cpus())
    for line in lines(Kernels(file, threads)):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
