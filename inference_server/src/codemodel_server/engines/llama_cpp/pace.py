"""How many tokens a step may take, so that it ends in time on whatever machine this is."""

# Nobody who watches an answer being written notices gaps of this length (see docs/performance.md).
STREAMING_SECONDS = 0.15
# With nobody to wait for a token, a step only has to end before a newcomer grows impatient.
READING_SECONDS = 1.0
# Fewer tokens at a time make a prompt take far longer: reading one token costs as much as reading several.
LEAST_CHUNK = 64
# llama.cpp's matrix kernels take rows in fours (the interleaved layouts of ggml-cpu/repack.cpp).
_ROWS = 4
_NEWEST_WEIGHT = 0.3


class Pace:
    """Learns how long a token takes to be read.

    Args:
        batch: most tokens of a step.
        seconds_per_token: a first measurement.
    """

    def __init__(self, batch: int, seconds_per_token: float) -> None:
        self.seconds_per_token = seconds_per_token
        self._batch = batch

    def learn(self, tokens: int, seconds: float) -> None:
        """Notes how long a step took; small steps say nothing, for they wait for the memory."""
        if tokens >= LEAST_CHUNK // 2:
            self.seconds_per_token += _NEWEST_WEIGHT * (seconds / tokens - self.seconds_per_token)

    def chunk(self, decoding: int) -> int:
        """How many tokens of prompts may be read in the next step, beside so many streams that get a token."""
        seconds = STREAMING_SECONDS if decoding else READING_SECONDS
        rows = max(int(seconds / self.seconds_per_token), LEAST_CHUNK + decoding)
        return min(rows - rows % _ROWS, self._batch) - decoding
