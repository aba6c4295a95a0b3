"""Searching, sorting, graphs and other classics."""

import heapq
from collections import deque


# binary search
# search a sorted list
# find an element in a sorted list
# return the index of a value by halving the list
# write a binary search function
# implement binary search
#: binary_search([1, 3, 5, 7], 5) == 2
#: binary_search([1, 3, 5], 4) == -1
#: binary_search([], 1) == -1
def binary_search(numbers: list[int], target: int) -> int:
    """Return the index of the target in a sorted list, or -1."""
    low, high = 0, len(numbers) - 1
    while low <= high:
        middle = (low + high) // 2
        if numbers[middle] == target:
            return middle
        if numbers[middle] < target:
            low = middle + 1
        else:
            high = middle - 1
    return -1


# linear search
# find the index of an element in a list
# search a list from start to end
# where in a list is a value
# write a linear search function
# implement linear search
#: linear_search([4, 2, 9], 9) == 2
#: linear_search([4], 5) == -1
def linear_search(items: list[int], target: int) -> int:
    """Return the index of the first item equal to the target, or -1."""
    for index, item in enumerate(items):
        if item == target:
            return index
    return -1


# bubble sort
# sort a list by swapping neighbours
# write a bubble sort function
# sort numbers with bubble sort
# swap adjacent elements until the list is sorted
# implement bubble sort
#: bubble_sort([3, 1, 2]) == [1, 2, 3]
#: bubble_sort([]) == []
def bubble_sort(numbers: list[int]) -> list[int]:
    """Return the numbers sorted by swapping neighbours."""
    result = list(numbers)
    for end in range(len(result) - 1, 0, -1):
        for i in range(end):
            if result[i] > result[i + 1]:
                result[i], result[i + 1] = result[i + 1], result[i]
    return result


# selection sort
# sort a list by picking the smallest each time
# write a selection sort function
# sort numbers with selection sort
# move the minimum to the front again and again
# implement selection sort
#: selection_sort([3, 1, 2]) == [1, 2, 3]
#: selection_sort([]) == []
def selection_sort(numbers: list[int]) -> list[int]:
    """Return the numbers sorted by picking the smallest of the rest."""
    result = list(numbers)
    for i in range(len(result)):
        smallest = min(range(i, len(result)), key=lambda k: result[k])
        result[i], result[smallest] = result[smallest], result[i]
    return result


# insertion sort
# sort a list by inserting each element in its place
# write an insertion sort function
# sort numbers with insertion sort
# insert every number into the sorted part
# implement insertion sort
#: insertion_sort([3, 1, 2]) == [1, 2, 3]
#: insertion_sort([]) == []
def insertion_sort(numbers: list[int]) -> list[int]:
    """Return the numbers sorted by inserting each in its place."""
    result: list[int] = []
    for number in numbers:
        place = len(result)
        while place > 0 and result[place - 1] > number:
            place -= 1
        result.insert(place, number)
    return result


# quick sort
# sort a list with a pivot
# write a quicksort function
# sort numbers with quicksort
# split a list around a pivot and sort the parts
# implement quicksort
#: quick_sort([3, 1, 2, 3]) == [1, 2, 3, 3]
#: quick_sort([]) == []
def quick_sort(numbers: list[int]) -> list[int]:
    """Return the numbers sorted around a pivot."""
    if len(numbers) <= 1:
        return numbers
    pivot = numbers[0]
    smaller = [number for number in numbers[1:] if number < pivot]
    others = [number for number in numbers[1:] if number >= pivot]
    return [*quick_sort(smaller), pivot, *quick_sort(others)]


# merge sort
# sort a list by merging sorted halves
# write a merge sort function
# sort numbers with merge sort
# split a list in halves, sort and merge them
# implement merge sort
#: merge_sort([3, 1, 2]) == [1, 2, 3]
#: merge_sort([]) == []
def merge_sort(numbers: list[int]) -> list[int]:
    """Return the numbers sorted by merging sorted halves."""
    if len(numbers) <= 1:
        return numbers
    middle = len(numbers) // 2
    left = merge_sort(numbers[:middle])
    right = merge_sort(numbers[middle:])
    result = []
    while left and right:
        result.append(left.pop(0) if left[0] <= right[0] else right.pop(0))
    return result + left + right


# merge two sorted lists
# combine sorted lists into one sorted list
# join two ordered lists and keep the order
# write a merge function for sorted lists
# interleave two sorted lists
# merge two sorted lists into one
#: merge_sorted([1, 4], [2, 3]) == [1, 2, 3, 4]
#: merge_sorted([], [1]) == [1]
def merge_sorted(first: list[int], second: list[int]) -> list[int]:
    """Return the numbers of two sorted lists in order."""
    result = []
    i = j = 0
    while i < len(first) and j < len(second):
        if first[i] <= second[j]:
            result.append(first[i])
            i += 1
        else:
            result.append(second[j])
            j += 1
    return result + first[i:] + second[j:]


# two sum
# find two numbers that add up to a target
# indices of two numbers with a given sum
# which pair in a list sums to a value
# solve the two sum problem
# find the pair of indices that adds up to the target
#: two_sum([2, 7, 11], 9) == (0, 1)
#: two_sum([1, 2], 5) is None
#: two_sum([3, 3], 6) == (0, 1)
def two_sum(numbers: list[int], target: int) -> tuple[int, int] | None:
    """Return the indices of two numbers with the sum, or None."""
    seen: dict[int, int] = {}
    for index, number in enumerate(numbers):
        if target - number in seen:
            return seen[target - number], index
        seen[number] = index
    return None


# find the maximum subarray sum
# kadane's algorithm
# largest sum of neighbouring numbers
# best sum of a contiguous part of a list
# return the highest sum of consecutive elements
# maximum sum of a contiguous subarray
#: max_subarray([1, -3, 4, -1, 2]) == 5
#: max_subarray([-2, -1]) == -1
def max_subarray(numbers: list[int]) -> int:
    """Return the largest sum of consecutive numbers."""
    best = current = numbers[0]
    for number in numbers[1:]:
        current = max(number, current + number)
        best = max(best, current)
    return best


# breadth first search
# bfs on a graph
# visit a graph level by level
# traverse a graph with a queue
# return the nodes in breadth first order
# implement breadth first search
#: bfs({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, "a") == ["a", "b", "c", "d"]
#: bfs({"a": ["a"]}, "a") == ["a"]
def bfs(graph: dict[str, list[str]], start: str) -> list[str]:
    """Return the nodes that are reached, nearest first."""
    visited = [start]
    queue = deque([start])
    while queue:
        for neighbor in graph[queue.popleft()]:
            if neighbor not in visited:
                visited.append(neighbor)
                queue.append(neighbor)
    return visited


# depth first search
# dfs on a graph
# visit a graph as deep as possible first
# traverse a graph with a stack
# return the nodes in depth first order
# implement depth first search
#: dfs({"a": ["b", "c"], "b": ["d"], "c": [], "d": []}, "a") == ["a", "b", "d", "c"]
#: dfs({"a": ["a"]}, "a") == ["a"]
def dfs(graph: dict[str, list[str]], start: str) -> list[str]:
    """Return the nodes that are reached, each followed by what it leads to."""
    visited: list[str] = []
    stack = [start]
    while stack:
        node = stack.pop()
        if node not in visited:
            visited.append(node)
            stack.extend(reversed(graph[node]))
    return visited


# find the shortest path in a graph
# shortest route between two nodes
# path with the fewest edges
# use breadth first search to find a path
# return the nodes on the shortest way
# find the shortest path between two nodes of a graph
#: shortest_path({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, "a", "d") == ["a", "b", "d"]
#: shortest_path({"a": [], "b": []}, "a", "b") == []
def shortest_path(graph: dict[str, list[str]], start: str, goal: str) -> list[str]:
    """Return the nodes of a path with the fewest edges, or an empty list."""
    queue = deque([[start]])
    seen = {start}
    while queue:
        path = queue.popleft()
        if path[-1] == goal:
            return path
        for neighbor in graph[path[-1]]:
            if neighbor not in seen:
                seen.add(neighbor)
                queue.append([*path, neighbor])
    return []


# dijkstra
# dijkstra's algorithm
# shortest distances in a weighted graph
# find the cheapest way to every node
# distances from a start node with edge weights
# implement dijkstra
#: dijkstra({"a": {"b": 1, "c": 5}, "b": {"c": 2}, "c": {}}, "a") == {"a": 0, "b": 1, "c": 3}
#: dijkstra({"a": {}}, "a") == {"a": 0}
def dijkstra(graph: dict[str, dict[str, int]], start: str) -> dict[str, int]:
    """Return the distance from the start to each node that is reached."""
    distances: dict[str, int] = {}
    heap = [(0, start)]
    while heap:
        distance, node = heapq.heappop(heap)
        if node not in distances:
            distances[node] = distance
            for neighbor, weight in graph[node].items():
                heapq.heappush(heap, (distance + weight, neighbor))
    return distances


# list all permutations of a list
# permutations
# all orders of the elements of a list
# return every arrangement of some items
# generate permutations recursively
# get all permutations of a list
#: permutations([1, 2]) == [[1, 2], [2, 1]]
#: len(permutations([1, 2, 3])) == 6
def permutations(items: list[int]) -> list[list[int]]:
    """Return the items in every order."""
    if not items:
        return [[]]
    result = []
    for i, item in enumerate(items):
        others = items[:i] + items[i + 1 :]
        result += [[item, *rest] for rest in permutations(others)]
    return result


# list all subsets of a list
# power set
# every combination of the elements of a list
# return all sublists of some items
# generate the power set
# get all subsets of a list
#: subsets([1, 2]) == [[], [1], [2], [1, 2]]
#: subsets([]) == [[]]
def subsets(items: list[int]) -> list[list[int]]:
    """Return every choice of the items."""
    result: list[list[int]] = [[]]
    for item in items:
        result += [[*subset, item] for subset in result]
    return result


# tower of hanoi
# towers of hanoi
# solve the hanoi puzzle
# moves to bring disks from one peg to another
# return the hanoi moves for n disks
# solve the tower of hanoi
#: hanoi(2, "A", "B", "C") == [("A", "B"), ("A", "C"), ("B", "C")]
#: len(hanoi(4, "A", "B", "C")) == 15
def hanoi(disks: int, source: str, spare: str, target: str) -> list[tuple[str, str]]:
    """Return the moves that bring the disks from the source to the target."""
    if disks == 0:
        return []
    before = hanoi(disks - 1, source, target, spare)
    after = hanoi(disks - 1, spare, source, target)
    return [*before, (source, target), *after]


# compute the edit distance of two strings
# levenshtein distance
# how many edits turn one word into another
# minimum number of insertions, deletions and replacements
# measure how different two words are
# calculate the edit distance between two words
#: edit_distance("kitten", "sitting") == 3
#: edit_distance("", "abc") == 3
def edit_distance(first: str, second: str) -> int:
    """Return the least number of edits that turn one text into the other."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            cost = previous + (a != b)
            previous = row[j]
            row[j] = min(cost, row[j] + 1, row[j - 1] + 1)
    return row[-1]


# find the longest common prefix of strings
# longest common prefix
# what do all words start with
# return the shared beginning of a list of strings
# common start of several words
# find the longest prefix that all strings share
#: common_prefix(["flower", "flow", "flight"]) == "fl"
#: common_prefix(["a", "b"]) == ""
def common_prefix(words: list[str]) -> str:
    """Return the longest text that every word starts with."""
    prefix = words[0]
    for word in words:
        while not word.startswith(prefix):
            prefix = prefix[:-1]
    return prefix


# count the ways to climb stairs
# climbing stairs
# in how many ways can you climb n steps
# ways to go up stairs with one or two steps
# solve the stair climbing problem
# number of ways to climb n stairs
#: climb_stairs(3) == 3
#: climb_stairs(5) == 8
def climb_stairs(steps: int) -> int:
    """Return in how many ways steps are climbed by ones and twos."""
    a, b = 1, 1
    for _ in range(steps):
        a, b = b, a + b
    return a


# make change with the fewest coins
# coin change
# minimum number of coins for an amount
# how many coins are needed for a sum
# solve the coin change problem
# find the least number of coins for an amount
#: coin_change([1, 3, 4], 6) == 2
#: coin_change([2], 3) == -1
#: coin_change([1], 0) == 0
def coin_change(coins: list[int], amount: int) -> int:
    """Return the least number of coins that make the amount, or -1."""
    fewest = [0] + [amount + 1] * amount
    for total in range(1, amount + 1):
        for coin in coins:
            if coin <= total:
                fewest[total] = min(fewest[total], fewest[total - coin] + 1)
    return fewest[amount] if fewest[amount] <= amount else -1


# find the missing number in a list
# missing number
# which number from 1 to n is not in the list
# return the number that a sequence lacks
# detect the gap in the numbers 1 to n
# find the missing number from 1 to n
#: missing_number([1, 2, 4]) == 3
#: missing_number([]) == 1
def missing_number(numbers: list[int]) -> int:
    """Return the number from 1 to n that is not among the other n - 1."""
    n = len(numbers) + 1
    return n * (n + 1) // 2 - sum(numbers)
