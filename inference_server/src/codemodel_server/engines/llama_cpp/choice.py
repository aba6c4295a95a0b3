"""The next token of a sequence, chosen from the model's logits."""

import math
import time

import numpy as np

from codemodel_server.engines.events import Candidate, FinishReason, Token
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.llama_cpp.native.sampler import Candidates, Logits
from codemodel_server.engines.llama_cpp.sequence import Sequence

# Most grammars answer within a millisecond. Nobody waits for the others.
_AT_ONCE_SECONDS = 0.005


class Choice:
    """Chooses among a model's tokens; one thread at a time.

    Args:
        model: whose they are.
    """

    def __init__(self, model: NativeModel) -> None:
        self._model = model
        self._candidates = Candidates(model.vocabulary_size)

    def write(self, sequence: Sequence, logits: Logits) -> FinishReason | None:
        """Gives a sequence its next token, and hands it out; or leaves it undecided, when its grammar takes long.

        Args:
            sequence: who gets it.
            logits: shape (vocabulary,).

        Returns:
            Why the answer is complete now, or None.

        Raises:
            InvalidRequestError: the sequence's grammar takes too long, or too much memory.
        """
        if sequence.limit == 0:
            return "length"
        sequence.sampler.propose(self._candidates, logits)
        if not sequence.sampler.decided(_AT_ONCE_SECONDS):
            sequence.undecided = logits.copy()
            return None
        return self.decide(sequence, logits)

    def decide(self, sequence: Sequence, logits: Logits) -> FinishReason | None:
        """The same once its grammar has answered; the errors are those of `write`."""
        sequence.undecided = None
        chosen = sequence.sampler.choose(self._candidates, logits)
        sequence.first = sequence.first or time.monotonic()
        if chosen is None:
            return "stop"
        ends = self._model.is_end(chosen)
        if not sequence.add(self._token(sequence, chosen, logits), ends=ends):
            return None
        return "stop" if ends or sequence.stream.stopped else "length"

    def _token(self, sequence: Sequence, chosen: int, logits: Logits) -> Token:
        piece = self._model.piece(chosen)
        if sequence.request.logprobs is None:
            return Token(chosen, piece)
        logprobs = logits - _log_sum(logits)
        count = min(sequence.request.logprobs, len(logits))
        best = np.argsort(-logprobs, kind="stable")[:count]
        alternatives = tuple(Candidate(int(i), self._model.piece(int(i)), float(logprobs[i])) for i in best)
        return Token(chosen, piece, float(logprobs[chosen]), alternatives)


def _log_sum(logits: Logits) -> float:
    highest = float(logits.max())
    return highest + math.log(float(np.exp(logits - highest).sum()))
