"""How the tokens of one request are chosen: llama.cpp's samplers, and a grammar, which has a process of its own."""

import ctypes
import math
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from codemodel_server.engines.llama_cpp.native.binding import llama_cpp
from codemodel_server.engines.llama_cpp.native.grammars import Grammar, Mask
from codemodel_server.engines.llama_cpp.native.model import NativeModel
from codemodel_server.engines.request import Sampling

Logits = npt.NDArray[np.float32]

_DRAW_A_SEED = 0xFFFFFFFF  # LLAMA_DEFAULT_SEED in llama.h
# Below this temperature the likeliest token is certain, and dividing by it would leave the range of 32-bit floats.
_LOWEST_TEMPERATURE = 1e-6
# Penalties look back no further than this, whatever is asked: they keep a list of so many tokens.
_WHOLE_CONTEXT = 1 << 16


class Candidates:
    """All tokens with their logits, as llama.cpp's samplers take and reorder them; one for all requests of a thread."""

    def __init__(self, vocabulary_size: int) -> None:
        # A llama_token_data is three numbers of 32 bits: id, logit, probability.
        self._data = np.zeros((vocabulary_size, 3), np.float32)
        self._data.view(np.int32)[:, 0] = np.arange(vocabulary_size)
        self._fresh = self._data.copy()
        self._pointer = ctypes.cast(self._data.ctypes.data, ctypes.POINTER(llama_cpp.llama_token_data))
        self.native = llama_cpp.llama_token_data_array()

    def fill(self, logits: Logits) -> None:
        """Begins anew with these logits, shape (vocabulary,)."""
        np.copyto(self._data, self._fresh)
        self._data[:, 1] = logits
        self.native.data = self._pointer
        self.native.size = len(self._data)
        self.native.selected = -1
        self.native.sorted = False

    def keep(self, allowed: Mask) -> bool:
        """Forbids all tokens but these, of those it was just filled with; whether any is left."""
        self._data[~allowed, 1] = -math.inf
        return bool(np.isfinite(self._data[:, 1]).any())

    def chosen(self) -> int | None:
        """The token that a sampler has selected; None if it may not be."""
        at = self.native.selected
        if not 0 <= at < self.native.size:
            return None
        # Samplers may put data of their own in place of ours.
        entry = self.native.data[at]
        return int(entry.id) if math.isfinite(entry.logit) else None


class Sampler:
    """Chooses the tokens of one request; its memory is freed with it.

    Args:
        model: whose tokens they are.
        sampling: how they are chosen.
        grammar: what the answer must follow, or None.
        recent: the last tokens of the prompt, for penalties on what came of late.
    """

    def __init__(
        self, model: NativeModel, sampling: Sampling, grammar: Grammar | None, recent: Sequence[int]
    ) -> None:
        self._grammar = grammar
        self._proposed: int | None = None
        self._chain: Any = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        weakref.finalize(self, llama_cpp.llama_sampler_free, self._chain).atexit = False
        for link in _links(model, sampling):
            llama_cpp.llama_sampler_chain_add(self._chain, link)
        if _penalizes(sampling):
            for token in recent:
                llama_cpp.llama_sampler_accept(self._chain, token)

    def propose(self, candidates: Candidates, logits: Logits) -> None:
        """Begins to choose the next token; the grammar is asked about it, if there is one.

        Raises:
            InvalidRequestError: the grammar takes too long, or too much memory.
        """
        candidates.fill(logits)
        self._proposed = self._apply(candidates)
        if self._grammar is not None and self._proposed is not None:
            self._grammar.propose(self._proposed)

    def decided(self, seconds: float) -> bool:
        """Waits so long at most for what the grammar says of the token that was proposed; whether that is known."""
        return self._grammar is None or self._proposed is None or self._grammar.answered(seconds)

    def choose(self, candidates: Candidates, logits: Logits) -> int | None:
        """The next token, after `propose`; None if grammar and biases leave none, so that the answer has to end.

        Args:
            candidates: to choose another one with, if the grammar forbids the proposed one.
            logits: those that it was proposed of.

        Raises:
            InvalidRequestError: the grammar takes too long, or too much memory.
        """
        token = self._proposed
        if self._grammar is not None and token is not None:
            allowed = self._grammar.taken()
            if allowed is not None:
                candidates.fill(logits)
                token = self._apply(candidates) if candidates.keep(allowed) else None
                if token is not None:
                    self._grammar.accept(token)
        if token is not None:
            llama_cpp.llama_sampler_accept(self._chain, token)
        return token

    def _apply(self, candidates: Candidates) -> int | None:
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(candidates.native))
        return candidates.chosen()


def _links(model: NativeModel, sampling: Sampling) -> Iterable[Any]:
    """The samplers in llama.cpp's order: biases, penalties, what is cut off, temperature, the draw."""
    biases = [*sampling.logit_bias]
    if sampling.ignore_eos:
        biases += [(token, -math.inf) for token in model.ends]
    if biases:
        array = (llama_cpp.llama_logit_bias * len(biases))(*biases)
        yield llama_cpp.llama_sampler_init_logit_bias(model.vocabulary_size, len(biases), array)
    if _penalizes(sampling):
        penalties = (sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty)
        yield llama_cpp.llama_sampler_init_penalties(model.vocabulary_size, _window(sampling), *penalties)
    if sampling.temperature < _LOWEST_TEMPERATURE:
        yield llama_cpp.llama_sampler_init_greedy()
        return
    yield llama_cpp.llama_sampler_init_top_k(sampling.top_k)
    if sampling.top_p < 1:
        yield llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1)
    if sampling.min_p > 0:
        yield llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1)
    yield llama_cpp.llama_sampler_init_temp(sampling.temperature)
    yield llama_cpp.llama_sampler_init_dist(_DRAW_A_SEED if sampling.seed is None else sampling.seed)


def _window(sampling: Sampling) -> int:
    asked = sampling.repeat_last_n
    return _WHOLE_CONTEXT if asked < 0 else min(asked, _WHOLE_CONTEXT)


def recent_tokens(sampling: Sampling, prompt: Sequence[int]) -> Sequence[int]:
    """The tokens of a prompt that count as of late."""
    window = min(len(prompt), _window(sampling)) if _penalizes(sampling) else 0
    return prompt[len(prompt) - window :]


def _penalizes(sampling: Sampling) -> bool:
    neutral = (sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty) == (
        1.0,
        0.0,
        0.0,
    )
    return not neutral and sampling.repeat_last_n != 0
