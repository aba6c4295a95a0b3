"""The API server is away: when the operator starts, and for longer than anybody pauses between two attempts."""

from http import HTTPStatus

from .faults import answer, cut

_ATTEMPTS = 10
"""kopf's own retries of one request are nine, in 54 seconds; it gave up after them."""

_AWAY_SECONDS = 180
_OUTAGES = {"unreachable": cut(), "failing": answer(HTTPStatus.INTERNAL_SERVER_ERROR)}
