"""What people ask first when they try a code model."""

import math


# print hello world
# write a hello world program
# say hello to the world
# show the text hello world on the screen
# make a function that prints Hello, world!
# hello world in python
# a simple hello world function
#: printed(hello_world) == "Hello, world!\n"
#: hello_world() is None
def hello_world() -> None:
    """Print the classic greeting."""
    print("Hello, world!")


# add two numbers
# return the sum of a and b
# write a function that adds two integers
# calculate a plus b
# add one number to another
# sum of two numbers
# give me the sum of two numbers
# total of a and b
# return the total of two numbers
#: add(1, 2) == 3
#: add(-1, 1) == 0
def add(a: int, b: int) -> int:
    """Return the sum of two numbers."""
    return a + b


# subtract two numbers
# return the difference of a and b
# calculate a minus b
# take one number away from another
# write a function that subtracts b from a
# difference of a and b
# difference between two numbers
#: subtract(5, 2) == 3
#: subtract(2, 5) == -3
def subtract(a: int, b: int) -> int:
    """Return a minus b."""
    return a - b


# multiply two numbers
# return the product of a and b
# calculate a times b
# write a function that multiplies two integers
# product of two numbers
# multiply a by b
# multiply one number by another
#: multiply(3, 4) == 12
#: multiply(5, 0) == 0
def multiply(a: int, b: int) -> int:
    """Return the product of two numbers."""
    return a * b


# divide two numbers and handle division by zero
# safe division
# return the quotient of a and b, or None if b is zero
# divide a by b without crashing on zero
# write a function that divides two numbers safely
# divide one number by another and check for zero
#: divide(6, 3) == 2.0
#: divide(1, 0) is None
def divide(a: float, b: float) -> float | None:
    """Return a divided by b, or None if b is zero."""
    if b == 0:
        return None
    return a / b


# check if a number is even
# is a number even
# return true if n is divisible by two
# tell whether an integer is even
# write a function that tests for even numbers
# test if n is an even number
#: is_even(4) is True
#: is_even(7) is False
#: is_even(0) is True
def is_even(number: int) -> bool:
    """Return whether a number is even."""
    return number % 2 == 0


# check if a number is odd
# is a number odd
# return true if n is not divisible by two
# tell whether an integer is odd
# write a function that tests for odd numbers
# test if n is an odd number
#: is_odd(3) is True
#: is_odd(8) is False
def is_odd(number: int) -> bool:
    """Return whether a number is odd."""
    return number % 2 == 1


# say whether a number is even or odd
# even or odd
# return the word even or odd for a number
# write a function that returns "even" or "odd"
# is this number odd or even
# even or odd as text
# tell if an integer is even or odd as text
#: even_or_odd(2) == "even"
#: even_or_odd(5) == "odd"
def even_or_odd(number: int) -> str:
    """Return the word even or odd."""
    return "even" if number % 2 == 0 else "odd"


# fizzbuzz
# write fizz buzz
# play fizzbuzz up to n
# solve the fizzbuzz problem
# return the fizzbuzz list from 1 to n
# replace multiples of three by Fizz and of five by Buzz
# implement fizz buzz
#: fizzbuzz(5) == ["1", "2", "Fizz", "4", "Buzz"]
#: fizzbuzz(15)[-1] == "FizzBuzz"
#: fizzbuzz(0) == []
def fizzbuzz(limit: int) -> list[str]:
    """Return the answers of the game from 1 to the limit."""
    answers = []
    for number in range(1, limit + 1):
        word = ""
        if number % 3 == 0:
            word += "Fizz"
        if number % 5 == 0:
            word += "Buzz"
        answers.append(word or str(number))
    return answers


# find the larger of two numbers
# return the maximum of two numbers
# which of two numbers is bigger
# compare a and b and return the greater one
# write a function that picks the bigger number of two
# get the bigger of two numbers
#: larger(1, 2) == 2
#: larger(5, -5) == 5
def larger(a: int, b: int) -> int:
    """Return the larger of two numbers."""
    return a if a > b else b


# find the largest of three numbers
# return the maximum of three numbers
# which of three numbers is the biggest
# compare three numbers and return the greatest
# max of three
# get the biggest of three numbers
#: max_of_three(1, 3, 2) == 3
#: max_of_three(9, 3, 2) == 9
#: max_of_three(1, 3, 7) == 7
def max_of_three(a: int, b: int, c: int) -> int:
    """Return the largest of three numbers."""
    return max(a, b, c)


# swap two values
# exchange two variables
# swap a and b
# return two values in the opposite order
# write a function that swaps its arguments
# exchange the values of two variables
#: swap(1, 2) == (2, 1)
#: swap(0, 0) == (0, 0)
def swap(a: int, b: int) -> tuple[int, int]:
    """Return the two values in the other order."""
    return b, a


# greet a person by name
# say hello to a user
# write a greeting function
# return a greeting with the name
# make a function that greets somebody
# say hello to a person by name
#: greet("Ada") == "Hello, Ada!"
#: greet("Bob") == "Hello, Bob!"
def greet(name: str) -> str:
    """Return a greeting for a person."""
    return f"Hello, {name}!"


# convert celsius to fahrenheit
# celsius to fahrenheit
# turn degrees celsius into fahrenheit
# compute the temperature in fahrenheit from celsius
# write a function that changes celsius to fahrenheit
# convert a temperature from celsius to fahrenheit
#: celsius_to_fahrenheit(100) == 212
#: celsius_to_fahrenheit(0) == 32
def celsius_to_fahrenheit(celsius: float) -> float:
    """Return the temperature in degrees Fahrenheit."""
    return celsius * 9 / 5 + 32


# convert fahrenheit to celsius
# fahrenheit to celsius
# turn degrees fahrenheit into celsius
# compute the temperature in celsius from fahrenheit
# write a function that changes fahrenheit to celsius
# convert a temperature from fahrenheit to celsius
#: fahrenheit_to_celsius(212) == 100
#: fahrenheit_to_celsius(32) == 0
def fahrenheit_to_celsius(fahrenheit: float) -> float:
    """Return the temperature in degrees Celsius."""
    return (fahrenheit - 32) * 5 / 9


# convert kilometers to miles
# kilometers to miles
# turn a distance in km into miles
# how many miles are some kilometers
# write a function that changes kilometers to miles
# convert a distance from kilometers to miles
#: round(kilometers_to_miles(1.609344), 6) == 1
#: kilometers_to_miles(0) == 0
def kilometers_to_miles(kilometers: float) -> float:
    """Return the distance in miles."""
    return kilometers / 1.609344


# calculate the area of a circle
# area of a circle from its radius
# compute the circle area
# return pi times the radius squared
# write a function for the area of a circle
# find the area of a circle from the radius
#: round(circle_area(1), 5) == 3.14159
#: circle_area(0) == 0
def circle_area(radius: float) -> float:
    """Return the area of a circle."""
    return math.pi * radius**2


# calculate the area of a rectangle
# area of a rectangle from width and height
# compute the rectangle area
# return width times height
# write a function for the area of a rectangle
# find the area of a rectangle
#: rectangle_area(2, 3) == 6
#: rectangle_area(0, 5) == 0
def rectangle_area(width: float, height: float) -> float:
    """Return the area of a rectangle."""
    return width * height


# calculate the area of a triangle
# area of a triangle from base and height
# compute the triangle area
# return half of base times height
# write a function for the area of a triangle
# find the area of a triangle
#: triangle_area(4, 3) == 6
#: triangle_area(0, 5) == 0
def triangle_area(base: float, height: float) -> float:
    """Return the area of a triangle."""
    return base * height / 2


# count down from a number
# countdown to zero
# make a list that counts down from n to 0
# return the numbers from n down to zero
# write a countdown function
# count backwards from n to zero
#: countdown(3) == [3, 2, 1, 0]
#: countdown(0) == [0]
def countdown(start: int) -> list[int]:
    """Return the numbers from the start down to zero."""
    return list(range(start, -1, -1))


# print a multiplication table
# return the multiplication table of a number
# times table of n
# multiply a number by 1 to 10
# list the first ten multiples of n
# make the times table for a number
#: multiplication_table(2)[:3] == [2, 4, 6]
#: multiplication_table(7)[-1] == 70
#: len(multiplication_table(3)) == 10
def multiplication_table(number: int) -> list[int]:
    """Return the number times 1 to 10."""
    return [number * factor for factor in range(1, 11)]


# convert a score into a letter grade
# return the grade for a number of points
# letter grade from a score
# turn points into A, B, C or F
# write a function that grades a test score
# find the letter grade of a test score
#: grade(95) == "A"
#: grade(80) == "B"
#: grade(75) == "C"
#: grade(10) == "F"
def grade(score: int) -> str:
    """Return the letter grade of a score out of 100."""
    if score >= 90:
        return "A"
    if score >= 80:
        return "B"
    if score >= 70:
        return "C"
    return "F"
