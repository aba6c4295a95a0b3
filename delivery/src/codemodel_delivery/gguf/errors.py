"""Why a model's header cannot be used.

GGUFError
├── NotAModel          the file is no GGUF model, or not a whole one
└── UnsupportedModel   it may be one, but none that is served here
HeaderUnavailable      it may well be one, but its header cannot be had without the rest
"""


class GGUFError(Exception):
    """The file cannot be served; the message is one line with a remedy."""


class NotAModel(GGUFError):  # noqa: N818  # names for the operator's reasons, as the downloader's errors are
    """The file is no GGUF model, or not a whole one."""


class UnsupportedModel(GGUFError):  # noqa: N818
    """The file may be a model, but none that is served here."""


class HeaderUnavailable(Exception):  # noqa: N818
    """The file may well be a model, but the server does not let its header be read without the rest."""
