"""Everything that can go wrong with the API server.

OperatorError
├── TemporaryError       worth trying again soon: throttled, unreachable, timed out
│   └── ConflictError    changed or replaced since it was read
│       └── ExistsError  is there although it was not
├── RefusedError         the API server understood and said no: only a change of something helps
└── EndingError          the namespace is being deleted: nothing is left to do
"""


class OperatorError(Exception):
    """Base of the errors that this package raises on purpose."""


class TemporaryError(OperatorError):
    """The request may succeed when it is repeated as it is."""


class ConflictError(TemporaryError):
    """The object was changed or replaced since it was read; read it again."""


class ExistsError(ConflictError):
    """There is an object of this name already, which was not read; read it."""


class EndingError(OperatorError):
    """The namespace is being deleted, and the CodeModel with it; nothing can be created there any more."""


class RefusedError(OperatorError):
    """The request was refused (forbidden, quota, invalid); the message is the API server's."""
