"""Formulas from mathematics and daily life."""

import math
import secrets


# compute the distance between two points
# euclidean distance
# how far are two points apart
# length of the line from one point to another
# distance from (x1, y1) to (x2, y2)
# calculate the distance between two points
#: distance(0, 0, 3, 4) == 5
#: distance(1, 1, 1, 1) == 0
def distance(x1: float, y1: float, x2: float, y2: float) -> float:
    """Return the distance of two points in the plane."""
    return math.hypot(x2 - x1, y2 - y1)


# compute the hypotenuse of a right triangle
# pythagoras
# longest side of a right triangle
# pythagorean theorem
# root of a squared plus b squared
# calculate the hypotenuse of a triangle
#: hypotenuse(3, 4) == 5
#: hypotenuse(0, 2) == 2
def hypotenuse(a: float, b: float) -> float:
    """Return the side opposite the right angle."""
    return math.sqrt(a**2 + b**2)


# solve a quadratic equation
# quadratic formula
# roots of a quadratic polynomial
# find x where ax^2 + bx + c is zero
# return the real solutions of a quadratic equation
# find the roots of a quadratic equation
#: solve_quadratic(1, -3, 2) == [1, 2]
#: solve_quadratic(1, 0, 1) == []
def solve_quadratic(a: float, b: float, c: float) -> list[float]:
    """Return the real solutions, both if they are the same."""
    discriminant = b * b - 4 * a * c
    if discriminant < 0:
        return []
    root = math.sqrt(discriminant)
    return sorted([(-b - root) / (2 * a), (-b + root) / (2 * a)])


# compute the square root with newton's method
# square root without math
# newton's method
# approximate a square root
# write your own sqrt
# calculate the square root with newton's method
#: abs(square_root(2) - 2**0.5) < 1e-6
#: abs(square_root(9) - 3) < 1e-6
def square_root(number: float) -> float:
    """Return the root of a positive number by Newton's method."""
    guess = number
    for _ in range(100):
        guess = (guess + number / guess) / 2
    return guess


# check if a number is a perfect square
# is a number a square
# does an integer have a whole square root
# perfect square test
# tell whether n is the square of an integer
# test if a number is a perfect square
#: is_square(16) is True
#: is_square(15) is False
#: is_square(-4) is False
def is_square(number: int) -> bool:
    """Return whether a number is the square of a whole number."""
    return number >= 0 and math.isqrt(number) ** 2 == number


# check if a number is a power of two
# is n a power of 2
# power of two test with bits
# tell whether a number is 1, 2, 4, 8 and so on
# does a number have a single bit
# test if a number is a power of two
#: is_power_of_two(8) is True
#: is_power_of_two(6) is False
#: is_power_of_two(0) is False
def is_power_of_two(number: int) -> bool:
    """Return whether a number is a power of two."""
    return number > 0 and number & (number - 1) == 0


# compute a percentage
# what percent is a part of a whole
# how many percent
# return part divided by whole times 100
# percent of a total
# calculate the percentage of a part
#: percentage(1, 4) == 25
#: percentage(0, 5) == 0
def percentage(part: float, whole: float) -> float:
    """Return the part in percent of the whole."""
    return part / whole * 100


# compute the price after a discount
# apply a discount
# reduce a price by some percent
# discounted price
# take percent off a price
# calculate the price with a discount
#: discounted(200, 25) == 150
#: discounted(80, 0) == 80
def discounted(price: float, percent: float) -> float:
    """Return the price less the percentage."""
    return price * (100 - percent) / 100


# compute compound interest
# interest on interest
# how much money after some years at a rate
# grow a principal every year
# value of savings with yearly interest
# calculate compound interest
#: compound_interest(100, 10, 2) == 121
#: compound_interest(50, 5, 0) == 50
def compound_interest(principal: float, percent: float, years: int) -> float:
    """Return the money after the years, to a cent."""
    for _ in range(years):
        principal *= 1 + percent / 100
    return round(principal, 2)


# compute the body mass index
# bmi
# weight divided by height squared
# bmi from kilograms and meters
# write a bmi calculator
# calculate the body mass index
#: bmi(80, 2) == 20
#: bmi(50, 1) == 50
def bmi(weight: float, height: float) -> float:
    """Return the body mass index of kilograms and meters."""
    return weight / height**2


# compute the variance of numbers
# variance of a list
# mean of the squared distances from the mean
# how much do numbers vary
# population variance
# calculate the variance of a list
#: variance([1, 3]) == 1
#: variance([5, 5]) == 0
def variance(numbers: list[float]) -> float:
    """Return the mean squared distance from the mean."""
    mean = sum(numbers) / len(numbers)
    return sum((number - mean) ** 2 for number in numbers) / len(numbers)


# compute the standard deviation of numbers
# standard deviation of a list
# root of the variance
# how far are numbers spread out
# population standard deviation
# calculate the standard deviation of a list
#: standard_deviation([1, 3]) == 1
#: standard_deviation([5, 5]) == 0
def standard_deviation(numbers: list[float]) -> float:
    """Return the root of the mean squared distance from the mean."""
    mean = sum(numbers) / len(numbers)
    squares = sum((number - mean) ** 2 for number in numbers)
    return math.sqrt(squares / len(numbers))


# count the ways to choose k of n items
# binomial coefficient
# n choose k
# number of combinations
# how many subsets of size k
# calculate n choose k
#: choose(5, 2) == 10
#: choose(4, 0) == 1
def choose(n: int, k: int) -> int:
    """Return the number of ways to choose k of n items."""
    result = 1
    for i in range(k):
        result = result * (n - i) // (i + 1)
    return result


# roll a dice
# random number from 1 to 6
# throw a die
# simulate a dice roll
# return a random dice value
# roll a die
#: 1 <= roll_dice() <= 6
#: {roll_dice() for _ in range(500)} == {1, 2, 3, 4, 5, 6}
def roll_dice() -> int:
    """Return a random number from 1 to 6."""
    return secrets.randbelow(6) + 1
