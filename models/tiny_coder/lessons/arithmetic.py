"""Whole numbers: sequences, divisors, digits."""


# compute the nth fibonacci number
# fibonacci
# return the fibonacci number of n
# write a fibonacci function
# calculate fibonacci without recursion
# get the n-th number of the fibonacci sequence
# find the nth fibonacci number
#: [fibonacci(n) for n in range(7)] == [0, 1, 1, 2, 3, 5, 8]
#: fibonacci(30) == 832040
def fibonacci(n: int) -> int:
    """Return the n-th Fibonacci number, counting from zero."""
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


# list the first n fibonacci numbers
# fibonacci sequence as a list
# return a list of fibonacci numbers
# make the fibonacci series up to n terms
# write a function that gives the first fibonacci numbers
# generate a list with the first n fibonacci numbers
#: fibonacci_list(6) == [0, 1, 1, 2, 3, 5]
#: fibonacci_list(0) == []
def fibonacci_list(count: int) -> list[int]:
    """Return the first Fibonacci numbers."""
    numbers = []
    a, b = 0, 1
    for _ in range(count):
        numbers.append(a)
        a, b = b, a + b
    return numbers


# compute the factorial of a number
# factorial
# return n!
# multiply all numbers from 1 to n
# write a factorial function
# product of the integers up to n
# calculate the factorial of n
#: factorial(5) == 120
#: factorial(0) == 1
def factorial(n: int) -> int:
    """Return the product of the numbers from 1 to n."""
    result = 1
    for factor in range(2, n + 1):
        result *= factor
    return result


# compute the factorial recursively
# recursive factorial
# factorial with recursion
# write factorial as a function that calls itself
# return n! using recursion
# calculate the factorial of n recursively
#: factorial_recursive(5) == 120
#: factorial_recursive(0) == 1
def factorial_recursive(n: int) -> int:
    """Return the factorial of n by recursion."""
    if n <= 1:
        return 1
    return n * factorial_recursive(n - 1)


# check if a number is prime
# is a number prime
# prime test
# return true if n is a prime number
# tell whether an integer has no divisors
# write a function that tests for primes
# test if a number is a prime
#: [n for n in range(20) if is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19]
#: is_prime(49) is False
def is_prime(number: int) -> bool:
    """Return whether a number is prime."""
    if number < 2:
        return False
    return all(number % divisor for divisor in range(2, int(number**0.5) + 1))


# list all primes up to n
# sieve of eratosthenes
# find the prime numbers below a limit
# return the primes up to a number
# generate prime numbers with a sieve
# get all prime numbers up to n
#: primes_up_to(12) == [2, 3, 5, 7, 11]
#: primes_up_to(1) == []
#: primes_up_to(2) == [2]
def primes_up_to(limit: int) -> list[int]:
    """Return the primes up to the limit by the sieve of Eratosthenes."""
    is_prime = [True] * (limit + 1)
    primes = []
    for number in range(2, limit + 1):
        if is_prime[number]:
            primes.append(number)
            for multiple in range(number * number, limit + 1, number):
                is_prime[multiple] = False
    return primes


# find the prime factors of a number
# prime factorization
# factor an integer into primes
# split a number into its prime factors
# decompose n into primes
# return the prime factors of n
#: prime_factors(12) == [2, 2, 3]
#: prime_factors(13) == [13]
#: prime_factors(1) == []
def prime_factors(number: int) -> list[int]:
    """Return the prime factors, smallest first."""
    factors = []
    divisor = 2
    while number > 1:
        while number % divisor == 0:
            factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors


# compute the greatest common divisor
# gcd of two numbers
# euclidean algorithm
# find the largest number that divides a and b
# write a gcd function
# return the greatest common divisor of a and b
#: gcd(12, 18) == 6
#: gcd(7, 5) == 1
#: gcd(0, 4) == 4
def gcd(a: int, b: int) -> int:
    """Return the greatest common divisor."""
    while b:
        a, b = b, a % b
    return a


# compute the least common multiple
# lcm of two numbers
# find the smallest number that a and b divide
# write an lcm function
# get the smallest common multiple
# return the least common multiple of a and b
#: lcm(4, 6) == 12
#: lcm(3, 5) == 15
def lcm(a: int, b: int) -> int:
    """Return the least common multiple."""
    x, y = a, b
    while y:
        x, y = y, x % y
    return a * b // x


# compute the collatz sequence
# collatz
# halve even numbers and triple odd ones plus one until one
# list the collatz steps of a number
# follow the 3n + 1 problem
# return the collatz sequence of n
#: collatz(6) == [6, 3, 10, 5, 16, 8, 4, 2, 1]
#: collatz(1) == [1]
def collatz(number: int) -> list[int]:
    """Return the Collatz sequence from the number down to 1."""
    steps = [number]
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps.append(number)
    return steps


# raise a number to a power
# compute the power of a number
# calculate base to the exponent
# exponentiation
# write a power function with a loop
# return base raised to exponent
#: power(2, 10) == 1024
#: power(5, 0) == 1
def power(base: int, exponent: int) -> int:
    """Return the base multiplied by itself as often as the exponent says."""
    result = 1
    for _ in range(exponent):
        result *= base
    return result


# square a number
# return the square of n
# multiply a number by itself
# compute n squared
# write a function that squares its argument
# calculate the square of a number
#: square(4) == 16
#: square(-3) == 9
def square(number: int) -> int:
    """Return the number times itself."""
    return number * number


# return the cube of a number
# cube a number
# compute n to the third power
# raise a number to the power of three
# write a function that cubes its argument
# calculate the cube of n
#: cube(3) == 27
#: cube(-2) == -8
def cube(number: int) -> int:
    """Return the third power of a number."""
    return number**3


# get the absolute value of a number
# absolute value
# remove the minus sign of a number
# make a number positive
# return the distance of a number from zero
# compute the absolute value of n
#: absolute(-3) == 3
#: absolute(4) == 4
def absolute(number: int) -> int:
    """Return the number without its sign."""
    return -number if number < 0 else number


# return the sign of a number
# tell if a number is positive, negative or zero
# sign function
# return -1, 0 or 1 for a number
# write a function that gives the sign
# find the sign of a number
#: sign(-5) == -1
#: sign(0) == 0
#: sign(9) == 1
def sign(number: float) -> int:
    """Return -1, 0 or 1 as the number is below, at or above zero."""
    if number > 0:
        return 1
    if number < 0:
        return -1
    return 0


# sum the digits of a number
# digit sum
# add up the digits of an integer
# return the sum of all digits
# compute the cross sum of n
# get the sum of the digits of n
#: digit_sum(123) == 6
#: digit_sum(0) == 0
def digit_sum(number: int) -> int:
    """Return the sum of the decimal digits."""
    return sum(int(digit) for digit in str(abs(number)))


# count the digits of a number
# how many digits does a number have
# number of digits in an integer
# return the length of a number in digits
# write a digit counter
# count digits
# count how many digits n has
#: count_digits(1234) == 4
#: count_digits(-7) == 1
def count_digits(number: int) -> int:
    """Return how many decimal digits a number has."""
    return len(str(abs(number)))


# reverse the digits of a number
# turn an integer around
# flip the digits of n
# return a number with its digits backwards
# write a function that reverses an integer
# reverse a number
# reverse an integer
#: reverse_number(123) == 321
#: reverse_number(120) == 21
def reverse_number(number: int) -> int:
    """Return the number with its digits in reverse order."""
    return int(str(number)[::-1])


# find all divisors of a number
# list the divisors of n
# return every number that divides n
# get the factors of a number
# which numbers divide n
# return all divisors of n
#: divisors(12) == [1, 2, 3, 4, 6, 12]
#: divisors(7) == [1, 7]
def divisors(number: int) -> list[int]:
    """Return all the numbers that divide the number."""
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


# check if a number is perfect
# perfect number test
# is n equal to the sum of its divisors
# tell whether a number is a perfect number
# write a function that finds out if a number is perfect
# test if n is a perfect number
#: is_perfect(28) is True
#: is_perfect(12) is False
def is_perfect(number: int) -> bool:
    """Return whether a number equals the sum of its smaller divisors."""
    total = sum(divisor for divisor in range(1, number) if number % divisor == 0)
    return number > 1 and total == number


# check if a number is an armstrong number
# armstrong number
# narcissistic number test
# is n the sum of its digits raised to the number of digits
# tell whether a number is an armstrong number
# test if n is an armstrong number
#: is_armstrong(153) is True
#: is_armstrong(154) is False
def is_armstrong(number: int) -> bool:
    """Return whether a number is the sum of its digits to the power of their count."""
    digits = str(number)
    total: int = sum(int(digit) ** len(digits) for digit in digits)
    return total == number


# check if a year is a leap year
# leap year
# does a year have 366 days
# is this year a leap year
# write a leap year function
# tell whether a year is a leap year
#: is_leap_year(2024) is True
#: is_leap_year(1900) is False
#: is_leap_year(2000) is True
def is_leap_year(year: int) -> bool:
    """Return whether a year has a 29th of February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


# convert a number to binary
# decimal to binary
# return the binary digits of an integer
# write n in base two
# turn an integer into a string of bits
# convert an integer to binary
# convert an integer to a binary string
#: to_binary(5) == "101"
#: to_binary(0) == "0"
def to_binary(number: int) -> str:
    """Return the number in base two."""
    return format(number, "b")


# convert binary to decimal
# binary to integer
# parse a string of bits as a number
# read a base two number
# turn binary digits into an int
# convert a binary number to an integer
# convert a binary string to an integer
#: from_binary("101") == 5
#: from_binary("0") == 0
def from_binary(bits: str) -> int:
    """Return the number that the binary digits stand for."""
    return int(bits, 2)


# sum the numbers from 1 to n
# add all integers up to n
# sum of the first n numbers
# compute 1 + 2 + ... + n
# total of the natural numbers up to n
# return the sum of the integers from 1 to n
#: sum_to(10) == 55
#: sum_to(0) == 0
def sum_to(n: int) -> int:
    """Return the sum of the numbers from 1 to n."""
    return n * (n + 1) // 2


# clamp a number between two limits
# limit a value to a range
# keep a number within a minimum and a maximum
# restrict x to the interval from low to high
# write a clamp function
# clamp a value to a range
#: clamp(5, 0, 3) == 3
#: clamp(-1, 0, 3) == 0
#: clamp(2, 0, 3) == 2
def clamp(value: float, low: float, high: float) -> float:
    """Return the value, or the limit that it exceeds."""
    return max(low, min(value, high))


# convert a number to a roman numeral
# roman numerals
# write an integer in roman numerals
# turn 4 into IV
# integer to roman
# convert an integer to roman numerals
#: to_roman(1994) == "MCMXCIV"
#: to_roman(4) == "IV"
def to_roman(number: int) -> str:
    """Return the number as a Roman numeral."""
    values = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
    symbols = ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"]
    numeral = ""
    for value, symbol in zip(values, symbols, strict=True):
        numeral += symbol * (number // value)
        number %= value
    return numeral
