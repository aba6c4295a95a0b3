"""What a server and the processes of its grammars say to one another; see `grammarian`.

First the grammar: its size, then its text. The answer is YES, or NO if it is none. Then orders, each with a token:
TAKE, which is answered with YES if the token may come next, and now has, or else with NO and all tokens, those that
may not come next with a logit of minus infinity (llama_token_data in llama.h); and ACCEPT, of a token that may,
which has no answer. Who has come to an end says nothing any more.
"""

import socket
import struct

SIZE = struct.Struct("<I")
ORDER = struct.Struct("<ci")
TAKE, ACCEPT = b"t", b"a"
YES, NO = b"y", b"n"


def receive(connection: socket.socket, size: int) -> bytes:
    """The next bytes, so many.

    Raises:
        EOFError: the other side has ended.
    """
    received = bytearray(size)
    receive_into(connection, memoryview(received))
    return bytes(received)


def receive_into(connection: socket.socket, room: memoryview) -> None:
    """The next bytes, as many as there is room for; the errors are those of `receive`."""
    while room:
        count = connection.recv_into(room)
        if not count:
            raise EOFError
        room = room[count:]
