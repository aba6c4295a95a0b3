"""What goes wrong while a report is made."""


class ReportError(Exception):
    """No report can be made; the message says why and what to do."""
