"""Dictionaries and sets."""


# merge two dictionaries
# combine two dicts into one
# join dictionaries
# return a dict with the entries of both
# update one dictionary with another without changing it
# merge two dicts
#: merge({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
#: merge({"a": 1}, {"a": 2}) == {"a": 2}
def merge(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    """Return the entries of both; the second wins."""
    return {**first, **second}


# invert a dictionary
# swap the keys and values of a dictionary
# turn values into keys
# reverse a dict
# map each value back to its key
# exchange keys and values
# exchange keys and values of a dict
#: invert({"a": 1, "b": 2}) == {1: "a", 2: "b"}
#: invert({}) == {}
def invert(mapping: dict[str, int]) -> dict[int, str]:
    """Return the keys by their values."""
    return {value: key for key, value in mapping.items()}


# sort a dictionary by value
# order a dict by its values
# arrange the entries by value
# return a dictionary sorted by values
# sort dictionary items from the smallest value
# sort a dict by value
#: list(sort_by_value({"a": 2, "b": 1})) == ["b", "a"]
#: sort_by_value({}) == {}
def sort_by_value(mapping: dict[str, int]) -> dict[str, int]:
    """Return the entries, smallest value first."""
    return dict(sorted(mapping.items(), key=lambda item: item[1]))


# sort a dictionary by key
# order a dict by its keys
# arrange the entries alphabetically
# return a dictionary with sorted keys
# put dictionary keys in order
# sort a dict by key
#: list(sort_by_key({"b": 1, "a": 2})) == ["a", "b"]
#: sort_by_key({}) == {}
def sort_by_key(mapping: dict[str, int]) -> dict[str, int]:
    """Return the entries in the order of their keys."""
    return dict(sorted(mapping.items()))


# find the key with the largest value
# which key has the highest value
# key of the maximum in a dictionary
# return the key whose value is biggest
# get the best scoring key
# get the key with the highest value of a dict
#: key_of_max({"a": 1, "b": 3}) == "b"
#: key_of_max({"x": 0}) == "x"
def key_of_max(mapping: dict[str, int]) -> str:
    """Return the key that has the largest value."""
    return max(mapping, key=lambda key: mapping[key])


# make a dictionary from two lists
# zip keys and values into a dict
# create a dict from a list of keys and a list of values
# combine keys with values
# map the items of one list to another
# build a dict from keys and values
# build a dictionary from keys and values
#: from_lists(["a", "b"], [1, 2]) == {"a": 1, "b": 2}
#: from_lists([], []) == {}
def from_lists(keys: list[str], values: list[int]) -> dict[str, int]:
    """Return a dictionary of keys and values at the same places."""
    return dict(zip(keys, values, strict=True))


# group words by their first letter
# make a dict from first letters to words
# sort words into groups by initial
# collect words under their first character
# index words by their first letter
# group a list of words by first letter
#: group_by_first_letter(["ant", "bee", "ape"]) == {"a": ["ant", "ape"], "b": ["bee"]}
#: group_by_first_letter([]) == {}
def group_by_first_letter(words: list[str]) -> dict[str, list[str]]:
    """Return the words by their first letter."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(word[0], []).append(word)
    return groups


# group words by their length
# make a dict from lengths to words
# sort words into groups by number of letters
# collect words that are equally long
# index words by their length
# group a list of words by length
#: group_by_length(["a", "bb", "c"]) == {1: ["a", "c"], 2: ["bb"]}
#: group_by_length([]) == {}
def group_by_length(words: list[str]) -> dict[int, list[str]]:
    """Return the words by their length."""
    groups: dict[int, list[str]] = {}
    for word in words:
        groups.setdefault(len(word), []).append(word)
    return groups


# sum the values of a dictionary
# add up all values in a dict
# total of the dictionary values
# return the sum over a dict
# calculate the total of all entries
# sum all values of a dict
#: sum_values({"a": 1, "b": 2}) == 3
#: sum_values({}) == 0
def sum_values(mapping: dict[str, int]) -> int:
    """Return the sum of the values."""
    return sum(mapping.values())


# keep only the entries of a dictionary above a limit
# filter a dictionary by value
# select dict items with large values
# drop entries with small values
# return the entries whose value is greater than a limit
# filter dict entries by a minimum value
#: filter_values({"a": 1, "b": 5}, 2) == {"b": 5}
#: filter_values({}, 2) == {}
def filter_values(mapping: dict[str, int], limit: int) -> dict[str, int]:
    """Return the entries with values above the limit."""
    return {key: value for key, value in mapping.items() if value > limit}


# remove a key from a dictionary
# delete an entry of a dict
# return a dict without one key
# drop a key
# take an entry out of a dictionary without changing it
# delete a key from a dict
#: without_key({"a": 1, "b": 2}, "a") == {"b": 2}
#: without_key({"a": 1}, "x") == {"a": 1}
def without_key(mapping: dict[str, int], unwanted: str) -> dict[str, int]:
    """Return the entries but for one key."""
    return {key: value for key, value in mapping.items() if key != unwanted}


# compute the union of two sets
# all elements of two sets
# combine two sets
# elements that are in either set
# unite sets
# return the union of two sets
#: union({1, 2}, {2, 3}) == {1, 2, 3}
#: union(set(), {1}) == {1}
def union(first: set[int], second: set[int]) -> set[int]:
    """Return the items of both sets."""
    return first | second
