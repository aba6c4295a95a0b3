"""Lists of numbers and texts."""


# sum the numbers of a list
# add up all numbers in a list
# total of a list
# return the sum of all elements
# write a function that sums a list
# calculate the sum of a list
# add all elements of a list
#: sum_list([1, 2, 3]) == 6
#: sum_list([]) == 0
def sum_list(numbers: list[int]) -> int:
    """Return the sum of the numbers."""
    total = 0
    for number in numbers:
        total += number
    return total


# compute the average of a list
# mean of a list of numbers
# calculate the arithmetic mean
# return the average value
# write a function that averages numbers
# find the average of a list of numbers
#: average([1, 2, 3]) == 2
#: average([5]) == 5
def average(numbers: list[float]) -> float:
    """Return the mean of the numbers."""
    return sum(numbers) / len(numbers)


# find the median of a list
# median
# return the middle value of sorted numbers
# compute the median of numbers
# write a function for the median
# calculate the median of a list of numbers
#: median([3, 1, 2]) == 2
#: median([4, 1, 2, 3]) == 2.5
def median(numbers: list[float]) -> float:
    """Return the middle value, or the mean of the two in the middle."""
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


# find the maximum of a list
# max of a list
# return the largest number in a list
# get the biggest element
# write a function that finds the greatest value
# find the largest number in a list
#: find_max([1, 5, 3]) == 5
#: find_max([-2, -7]) == -2
def find_max(numbers: list[int]) -> int:
    """Return the largest number."""
    largest = numbers[0]
    for number in numbers:
        largest = max(largest, number)
    return largest


# find the minimum of a list
# min of a list
# return the smallest number in a list
# get the least element
# write a function that finds the lowest value
# find the smallest number in a list
#: find_min([4, 1, 3]) == 1
#: find_min([-2, -7]) == -7
def find_min(numbers: list[int]) -> int:
    """Return the smallest number."""
    smallest = numbers[0]
    for number in numbers:
        smallest = min(smallest, number)
    return smallest


# find the second largest number in a list
# second largest
# return the second biggest element
# get the number just below the maximum
# which number is the second highest
# find the second highest number in a list
#: second_largest([1, 5, 3]) == 3
#: second_largest([5, 5, 2]) == 2
def second_largest(numbers: list[int]) -> int:
    """Return the second largest of the distinct numbers."""
    return sorted(set(numbers))[-2]


# reverse a list
# turn a list around
# return the elements of a list backwards
# flip a list
# write a function that reverses a list
# return a list in reverse order
#: reverse_list([1, 2, 3]) == [3, 2, 1]
#: reverse_list([]) == []
def reverse_list(items: list[int]) -> list[int]:
    """Return the items in reverse order."""
    return items[::-1]


# remove duplicates from a list
# unique elements of a list
# keep each element only once
# delete repeated items and keep the order
# deduplicate a list
# remove duplicates from a list of numbers
# remove duplicate numbers
# remove duplicate elements from a list
#: unique([1, 2, 1, 3]) == [1, 2, 3]
#: unique([]) == []
def unique(items: list[int]) -> list[int]:
    """Return each item once, in the order of first use."""
    return list(dict.fromkeys(items))


# flatten a list of lists
# flatten a nested list by one level
# join all sublists into one list
# turn a list of lists into a flat list
# merge inner lists
# flatten nested lists
#: flatten([[1, 2], [3], []]) == [1, 2, 3]
#: flatten([]) == []
def flatten(lists: list[list[int]]) -> list[int]:
    """Return the items of all the lists in one list."""
    return [item for items in lists for item in items]


# split a list into chunks
# chunk a list
# cut a list into pieces of size n
# divide a list into groups of equal size
# break a list into parts
# split a list into chunks of size n
#: chunk([1, 2, 3, 4, 5], 2) == [[1, 2], [3, 4], [5]]
#: chunk([], 3) == []
def chunk(items: list[int], size: int) -> list[list[int]]:
    """Return the items in lists of the given size; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]


# keep only the even numbers of a list
# filter even numbers
# select the even numbers
# return all even elements
# drop the odd numbers of a list
# get only the even numbers
# get the even numbers of a list
#: even_numbers([1, 2, 3, 4]) == [2, 4]
#: even_numbers([1]) == []
def even_numbers(numbers: list[int]) -> list[int]:
    """Return the even numbers."""
    return [number for number in numbers if number % 2 == 0]


# keep only the odd numbers of a list
# filter odd numbers
# select the odd numbers
# return all odd elements
# drop the even numbers of a list
# get only the odd numbers
# get the odd numbers of a list
#: odd_numbers([1, 2, 3, 4]) == [1, 3]
#: odd_numbers([2]) == []
def odd_numbers(numbers: list[int]) -> list[int]:
    """Return the odd numbers."""
    return [number for number in numbers if number % 2 == 1]


# keep only the positive numbers of a list
# filter positive numbers
# remove negative numbers from a list
# select the numbers above zero
# return all positive elements
# get the positive numbers of a list
#: positive_numbers([1, -2, 0, 4]) == [1, 4]
#: positive_numbers([-1]) == []
def positive_numbers(numbers: list[int]) -> list[int]:
    """Return the numbers above zero."""
    return [number for number in numbers if number > 0]


# square every number in a list
# squares of a list
# return a list of squares
# map each number to its square
# raise all elements to the power of two
# square each number of a list
# square all numbers of a list
#: squares([1, 2, 3]) == [1, 4, 9]
#: squares([]) == []
def squares(numbers: list[int]) -> list[int]:
    """Return the square of each number."""
    return [number**2 for number in numbers]


# find the common elements of two lists
# intersection of two lists
# which items are in both lists
# return the elements that two lists share
# items that occur in both lists
# get the common elements of two lists
#: common([1, 2, 3], [2, 3, 4]) == [2, 3]
#: common([1], [2]) == []
def common(first: list[int], second: list[int]) -> list[int]:
    """Return the items of the first list that the second has too."""
    return [item for item in first if item in second]


# find the elements of one list that are not in another
# difference of two lists
# return the items missing in the second list
# remove the elements of one list from another
# which items are only in the first list
# get the difference between two lists
#: difference([1, 2, 3], [2]) == [1, 3]
#: difference([1], [1]) == []
def difference(first: list[int], second: list[int]) -> list[int]:
    """Return the items of the first list that the second lacks."""
    return [item for item in first if item not in second]


# rotate a list to the left
# rotate a list by n positions
# move the first n elements to the end
# shift the elements of a list around
# cyclic shift of a list
# rotate the elements of a list
#: rotate([1, 2, 3, 4], 1) == [2, 3, 4, 1]
#: rotate([1, 2], 2) == [1, 2]
def rotate(items: list[int], steps: int) -> list[int]:
    """Return the items with the first ones moved to the end."""
    return items[steps:] + items[:steps]


# compute the running total of a list
# cumulative sum
# prefix sums
# return the partial sums of a list
# add each number to the sum so far
# calculate the cumulative sum of a list
#: running_total([1, 2, 3]) == [1, 3, 6]
#: running_total([]) == []
def running_total(numbers: list[int]) -> list[int]:
    """Return the sum so far at each number."""
    total = 0
    totals = []
    for number in numbers:
        total += number
        totals.append(total)
    return totals


# multiply all numbers of a list
# product of a list
# return the product of all elements
# multiply the elements together
# write a function that multiplies a list
# calculate the product of a list
#: product([2, 3, 4]) == 24
#: product([]) == 1
def product(numbers: list[int]) -> int:
    """Return the product of the numbers."""
    result = 1
    for number in numbers:
        result *= number
    return result


# find the most common element of a list
# mode of a list
# which item occurs most often
# return the most frequent value
# get the element with the highest count
# find the most frequent element in a list
#: most_common([1, 2, 2, 3]) == 2
#: most_common([7]) == 7
def most_common(items: list[int]) -> int:
    """Return the item that occurs most often."""
    return max(items, key=items.count)


# find the duplicates in a list
# which elements occur more than once
# list repeated items
# return the values that appear twice or more
# write a function that detects duplicates
# find repeated elements in a list
#: duplicates([1, 2, 1, 3, 2]) == [1, 2]
#: duplicates([1, 2]) == []
def duplicates(items: list[int]) -> list[int]:
    """Return the items that occur more than once, sorted."""
    return sorted(item for item in set(items) if items.count(item) > 1)


# count the occurrences of an element in a list
# how often is a value in a list
# number of times an item appears in a list
# return how many elements equal a value
# count a value in a list
# count an element of a list
# count how often an element occurs in a list
#: count_item([1, 2, 1], 1) == 2
#: count_item([], 1) == 0
def count_item(items: list[int], wanted: int) -> int:
    """Return how often an item is in the list."""
    return sum(item == wanted for item in items)


# check if a list is sorted
# is a list in ascending order
# tell whether numbers are ordered
# are the elements sorted
# write a function that tests the order of a list
# test if a list is sorted
#: is_sorted([1, 2, 2]) is True
#: is_sorted([2, 1]) is False
#: is_sorted([]) is True
def is_sorted(numbers: list[int]) -> bool:
    """Return whether no number is followed by a smaller one."""
    return all(numbers[i] <= numbers[i + 1] for i in range(len(numbers) - 1))


# sort words by their length
# order strings from short to long
# sort a list of strings by length
# shortest word first
# arrange texts by their length
# sort strings by length
#: sort_by_length(["ccc", "a", "bb"]) == ["a", "bb", "ccc"]
#: sort_by_length([]) == []
def sort_by_length(words: list[str]) -> list[str]:
    """Return the words, shortest first."""
    return sorted(words, key=len)


# sort a list in descending order
# sort numbers from high to low
# order a list with the largest first
# reverse sort
# sort a list backwards
# sort numbers in descending order
#: sort_descending([1, 3, 2]) == [3, 2, 1]
#: sort_descending([]) == []
def sort_descending(numbers: list[int]) -> list[int]:
    """Return the numbers, largest first."""
    return sorted(numbers, reverse=True)


# pair the elements of two lists
# zip two lists
# combine two lists into a list of tuples
# return pairs from two lists
# match the items of two lists one by one
# combine two lists into pairs
#: pair([1, 2], ["a", "b"]) == [(1, "a"), (2, "b")]
#: pair([], []) == []
def pair(first: list[int], second: list[str]) -> list[tuple[int, str]]:
    """Return the pairs of items at the same place in two lists of one length."""
    return list(zip(first, second, strict=True))


# join a list of words with commas
# turn a list of strings into one string
# concatenate words separated by commas
# make a comma separated string
# write a list as text with commas
# join strings with a comma
#: join_words(["a", "b"]) == "a, b"
#: join_words([]) == ""
def join_words(words: list[str]) -> str:
    """Return the words in one text, separated by commas."""
    return ", ".join(words)
