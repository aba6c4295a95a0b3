"""How much of the prompts is read between two tokens, so that those who wait get theirs in time on any machine."""

# Nobody who watches an answer being written notices gaps of this length (see docs/performance.md).
STREAMING_SECONDS = 0.15
# With nobody to wait for a token, a step only has to end before a newcomer grows impatient.
READING_SECONDS = 1.0
# Prompts are read by so many tokens at least: fewer take longer each, more hardly less (see docs/performance.md).
TILE = 64
# Between two tokens of the streams, a tile is read for each prompt that ends with it, but no more than these: prompts
# in larger groups take less time, and the streams' decodes are fuller after them. Long prompts share one tile.
MOST_TILES = 4
# Longer prompts are read beside the steps (`Prefill`): by tiles they would stop the streams for longer.
LONGEST_INSIDE = 2 * TILE
# A prompt that is read beside the streams gets five times as long as their token takes: then it takes a fifth longer
# than it would take alone, and they write as fast as they can with the sixth that is theirs.
_READING_TO_WRITING = 5.0
# Nobody waits longer for a token because somebody else's long prompt is read.
LONGEST_SECONDS = 0.6
_NEWEST_WEIGHT = 0.3
# The matrix kernels take rows by fours, and each that is left over by itself, for which all weights are read once more:
# with 5 to 7 rows a decode takes longer than with 8 (see docs/performance.md).
_ROWS = 4


def part(unread: int, most: int) -> int:
    """How many tokens of a prompt are read at a time, so that what is left in the end is no less than a tile.

    Args:
        unread: tokens that are left.
        most: at a time.
    """
    left = unread - most
    return unread - TILE if 0 < left < TILE < most else min(unread, most)


class Pace:
    """Learns how long a token takes to be read.

    Args:
        batch: most tokens of a decode.
        seconds_per_token: a first measurement.
    """

    def __init__(self, batch: int, seconds_per_token: float) -> None:
        self.seconds_per_token = seconds_per_token
        self._batch = batch
        self._writing = 0.0

    def learn(self, tokens: int, seconds: float) -> None:
        """Notes how long a decode took; small ones say nothing, for they wait for the memory."""
        if tokens >= TILE // 2:
            self.seconds_per_token += _NEWEST_WEIGHT * (seconds / tokens - self.seconds_per_token)

    def learn_writing(self, seconds: float) -> None:
        """Notes how long the last decode of the streams took."""
        self._writing = seconds

    def beside(self) -> float:
        """How many seconds a prompt is read beside the streams before they get their next token."""
        return min(max(STREAMING_SECONDS, _READING_TO_WRITING * self._writing), LONGEST_SECONDS)

    def tokens(self, streams: int, ending: int) -> int:
        """How many tokens of prompts the next step reads beside the streams' tokens: whole tiles, as a rule.

        Args:
            streams: that get a token in it.
            ending: prompts of which no more than a tile is left to be read.
        """
        tiles = self._tiles(STREAMING_SECONDS if streams else READING_SECONDS)
        if streams:
            tiles = max(tiles, min(MOST_TILES, ending))
        return max(0, min(tiles * TILE, self._batch - streams))

    def padding(self, tokens: int) -> int:
        """How many tokens more a decode of so many had better compute."""
        missing = -tokens % _ROWS
        return missing if tokens > 1 and tokens + missing <= self._batch else 0

    def _tiles(self, seconds: float) -> int:
        """The whole tiles that can be read in so many seconds, at least one."""
        return max(1, int(seconds / self.seconds_per_token) // TILE)
