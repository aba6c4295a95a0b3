import itertools
from random import Random

import pytest

from e2e.load.arrivals import constant, poisson


@pytest.mark.parametrize(("rate", "seconds"), [(2.0, 30.0), (0.3, 10.0), (7.0, 0.1)])
def test_constant_arrivals_are_at_equal_distances(rate: float, seconds: float) -> None:
    times = list(constant(rate, seconds))
    assert times == [number / rate for number in range(len(times))]
    assert times[-1] < seconds <= times[-1] + 1 / rate


def test_poisson_arrivals_have_the_rate_and_the_spread_of_a_poisson_process() -> None:
    """Both within four standard deviations of what theory says, for a seed that is fixed."""
    rate, seconds = 5.0, 10_000.0
    times = list(poisson(rate, seconds, Random(1)))
    expected = rate * seconds
    assert abs(len(times) - expected) < 4 * expected**0.5
    # Distances are exponential: a share of 1/e is longer than their mean. Equal distances would have none or all.
    longer = sum(after - before > 1 / rate for before, after in itertools.pairwise(times))
    share, theory = longer / len(times), 0.36788
    assert abs(share - theory) < 4 * (theory * (1 - theory) / len(times)) ** 0.5
    assert times == sorted(times)
    assert times[-1] < seconds


def test_the_same_seed_gives_the_same_arrivals() -> None:
    first, again, other = (list(poisson(5, 20, Random(seed))) for seed in (1, 1, 2))
    assert first == again != other
