"""Generators and functions of functions."""

import functools
import time
from collections.abc import Callable, Iterator


# write a generator of even numbers
# yield even numbers up to a limit
# generate even numbers lazily
# iterate over the even numbers below n
# make an iterator of even numbers
# generator of even numbers
#: list(generate_even(7)) == [0, 2, 4, 6]
#: list(generate_even(0)) == []
def generate_even(limit: int) -> Iterator[int]:
    """Yield the even numbers below the limit."""
    yield from range(0, limit, 2)


# write a fibonacci generator
# yield fibonacci numbers
# generate fibonacci numbers lazily
# endless fibonacci iterator
# make a generator for the fibonacci sequence
# generator of fibonacci numbers
#: [n for n, _ in zip(generate_fibonacci(), range(6))] == [0, 1, 1, 2, 3, 5]
#: next(generate_fibonacci()) == 0
def generate_fibonacci() -> Iterator[int]:
    """Yield the Fibonacci numbers without end."""
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


# count from a number without end
# infinite counter
# yield one integer after another
# endless generator of numbers
# make a generator that counts up forever
# generator that counts up
#: [n for n, _ in zip(count_up(3), range(3))] == [3, 4, 5]
#: next(count_up(0)) == 0
def count_up(start: int) -> Iterator[int]:
    """Yield the numbers from the start without end."""
    while True:
        yield start
        start += 1


# iterate over pairs of neighbours
# yield each element with the next one
# sliding window of size two
# pairwise iteration
# generate adjacent pairs of a list
# loop over neighbouring pairs of a list
#: list(pairs([1, 2, 3])) == [(1, 2), (2, 3)]
#: list(pairs([1])) == []
def pairs(items: list[int]) -> Iterator[tuple[int, int]]:
    """Yield each item with the one after it."""
    for i in range(len(items) - 1):
        yield items[i], items[i + 1]


# iterate over windows of a list
# sliding window
# yield every run of n neighbours
# all sublists of a fixed length
# generate overlapping parts of a list
# sliding window over a list
#: list(windows([1, 2, 3, 4], 3)) == [[1, 2, 3], [2, 3, 4]]
#: list(windows([1], 2)) == []
def windows(items: list[int], size: int) -> Iterator[list[int]]:
    """Yield each run of neighbours of the given size."""
    for start in range(len(items) - size + 1):
        yield items[start : start + size]


# compose two functions
# function composition
# apply one function after another
# return a function that calls g and then f
# chain two functions
# combine two functions
# combine two functions into one
#: compose(lambda x: x + 1, lambda x: x * 2)(5) == 11
#: compose(abs, abs)(-1) == 1
def compose(outer: Callable[[int], int], inner: Callable[[int], int]) -> Callable[[int], int]:
    """Return a function that applies the inner function, then the outer."""
    return lambda value: outer(inner(value))


# apply a function to every element of a list
# map a function over a list
# call a function on each item
# write your own map
# transform all elements with a function
# apply a function to each element of a list
#: apply_to_all(abs, [-1, 2]) == [1, 2]
#: apply_to_all(abs, []) == []
def apply_to_all(function: Callable[[int], int], items: list[int]) -> list[int]:
    """Return what the function makes of each item."""
    return [function(item) for item in items]


# remember the results of a function
# memoize a function
# cache decorator
# write a decorator that caches results
# avoid computing the same call twice
# write a memoize decorator
#: memoize(lambda x: x * x)(4) == 16
#: (lambda calls: (lambda f: (f(1), f(1), len(calls)))(memoize(lambda x: calls.append(x) or x)))([]) == (1, 1, 1)
def memoize(function: Callable[[int], int]) -> Callable[[int], int]:
    """Return a function that computes each result only once."""
    results: dict[int, int] = {}

    @functools.wraps(function)
    def remembered(value: int) -> int:
        if value not in results:
            results[value] = function(value)
        return results[value]

    return remembered


# measure how long a function takes
# time a function call
# stopwatch for a function
# return the seconds a call needs
# measure the run time of a function
# measure the time of a function call
#: 0 <= measure(lambda: None) < 1
#: isinstance(measure(lambda: None), float)
def measure(function: Callable[[], object]) -> float:
    """Return how many seconds the function takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


# make a counter with a closure
# closure that counts its calls
# return a function that counts up at each call
# counter function with nonlocal
# create a function with its own counter
# write a closure that counts calls
#: (lambda count: (count(), count()))(make_counter()) == (1, 2)
#: make_counter()() == 1
def make_counter() -> Callable[[], int]:
    """Return a function that returns how often it was called."""
    count = 0

    def counter() -> int:
        nonlocal count
        count += 1
        return count

    return counter
