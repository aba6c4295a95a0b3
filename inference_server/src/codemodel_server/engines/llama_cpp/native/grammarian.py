"""The process in which grammars are followed: they are programs of strangers, and may run wild.

llama.cpp can neither be stopped while it holds tokens against a grammar, nor be kept from memory: a few bytes of GBNF
take it hours or gigabytes. So each grammar gets a process with limits, forked from this one, which holds nothing but
the model's vocabulary: `python -m codemodel_server.engines.llama_cpp.native.grammarian MODEL`, with a Unix socket as
its standard input. `grammars` is the other side, `wire` what they say.
"""

import ctypes
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from codemodel_server.engines.llama_cpp.native import library
from codemodel_server.engines.llama_cpp.native.binding import llama_cpp
from codemodel_server.engines.llama_cpp.native.wire import ACCEPT, NO, ORDER, SIZE, YES, receive

PARSE_SECONDS = 2.0
"""Of a processor's time; a grammar that takes more to be parsed ends its process."""
TOKEN_SECONDS = 0.5
"""The same for a token."""
_NICENESS = 10
"""Their answers wait, others' do not: processors are theirs when the engine leaves them (man 7 sched)."""
MOST_BYTES = 64 << 20
"""Of memory, beside the vocabulary. Held against 150,000 tokens, a grammar takes about 20 MB."""
_OWN_STATM = Path("/proc/self/statm")
_OOM_SCORE = Path("/proc/self/oom_score_adj")
# If memory is short all the same, the kernel ends these processes before the server (man 5 proc_pid_oom_score_adj).
_FIRST_TO_GO = "1000"


def main() -> None:
    """Forks a process for each socket that comes through standard input, until that ends."""
    # Ctrl-C is for the server, which ends this by closing the socket. Nobody waits for the forked processes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.nice(_NICENESS)
    with suppress(OSError):
        _OOM_SCORE.write_text(_FIRST_TO_GO)
    with socket.socket(fileno=sys.stdin.fileno()) as control:
        vocabulary = _vocabulary(sys.argv[1])
        while True:
            data, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not data:
                return
            with socket.socket(fileno=descriptors[0]) as connection:
                if os.fork() == 0:
                    control.close()
                    _follow(vocabulary, connection)


def _vocabulary(path: str) -> Any:
    library.start()
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    model = library.made(lambda: llama_cpp.llama_model_load_from_file(path.encode(), parameters))
    return llama_cpp.llama_model_get_vocab(model)


def _follow(vocabulary: Any, connection: socket.socket) -> None:
    """The life of a forked process: it does not return."""
    try:
        _limit()
        (size,) = SIZE.unpack(receive(connection, SIZE.size))
        text = receive(connection, size)
        signal.setitimer(signal.ITIMER_PROF, PARSE_SECONDS)
        grammar = llama_cpp.llama_sampler_init_grammar(vocabulary, text, b"root")
        connection.sendall(YES if grammar else NO)
        if grammar:
            _answer(grammar, llama_cpp.llama_vocab_n_tokens(vocabulary), connection)
    except (EOFError, OSError):
        # Nobody asks any more.
        os._exit(0)
    finally:
        os._exit(1)


def _answer(grammar: Any, tokens: int, connection: socket.socket) -> None:
    one, all_ = (llama_cpp.llama_token_data * 1)(), (llama_cpp.llama_token_data * tokens)()
    for token in range(tokens):
        all_[token].id = token
    fresh = bytes(all_)
    while True:
        order, token = ORDER.unpack(receive(connection, ORDER.size))
        signal.setitimer(signal.ITIMER_PROF, TOKEN_SECONDS)
        one[0].id, one[0].logit = token, 0.0
        # llama.cpp ends the process if a grammar is given a token that it forbids.
        if order == ACCEPT:
            llama_cpp.llama_sampler_accept(grammar, token)
        elif _apply(grammar, one)[0].logit == 0.0:
            llama_cpp.llama_sampler_accept(grammar, token)
            connection.sendall(YES)
        else:
            ctypes.memmove(all_, fresh, len(fresh))
            connection.sendall(NO)
            connection.sendall(_apply(grammar, all_))


def _apply(grammar: Any, candidates: Any) -> Any:
    """The candidates, those that may not come next with a logit of minus infinity."""
    array = llama_cpp.llama_token_data_array(candidates, len(candidates), -1, False)
    llama_cpp.llama_sampler_apply(grammar, ctypes.byref(array))
    return candidates


def _limit() -> None:
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where there is no /proc, the system is none that a server runs on for others.
    with suppress(OSError):
        # Pages of data are the sixth number (man 5 proc_pid_statm).
        most = int(_OWN_STATM.read_text().split()[5]) * resource.getpagesize() + MOST_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    # What C++ says when memory is at its limit is of no use to anybody.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


if __name__ == "__main__":
    main()
