"""Everything that can go wrong with the API server.

OperatorError
├── TemporaryError       worth trying again soon: throttled, unreachable, conflict, timed out
└── RefusedError         the API server understood and said no: only a change of something helps
"""


class OperatorError(Exception):
    """Base of the errors that this package raises on purpose."""


class TemporaryError(OperatorError):
    """The request may succeed when it is repeated as it is."""


class ConflictError(TemporaryError):
    """The object was changed or replaced since it was read; read it again."""


class RefusedError(OperatorError):
    """The request was refused (forbidden, quota, invalid); the message is the API server's."""
