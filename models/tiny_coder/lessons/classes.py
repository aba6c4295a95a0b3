"""Small classes."""

import math
from dataclasses import dataclass


# write a stack class
# stack
# last in first out container
# class with push and pop
# implement a stack with a list
# implement a stack
#: (lambda s: (s.push(1), s.push(2), s.pop(), s.pop()))(Stack()) == (None, None, 2, 1)
#: Stack().is_empty() is True
#: raises(IndexError, Stack().pop)
class Stack:
    """A container that gives back the newest item first."""

    def __init__(self) -> None:
        self.items: list[int] = []

    def push(self, item: int) -> None:
        """Put an item on top."""
        self.items.append(item)

    def pop(self) -> int:
        """Take the item from the top."""
        return self.items.pop()

    def is_empty(self) -> bool:
        """Return whether there is no item."""
        return not self.items


# write a queue class
# queue
# first in first out container
# class with enqueue and dequeue
# implement a queue with a list
# implement a queue
#: (lambda q: (q.enqueue(1), q.enqueue(2), q.dequeue(), q.dequeue()))(Queue()) == (None, None, 1, 2)
#: Queue().is_empty() is True
class Queue:
    """A container that gives back the oldest item first."""

    def __init__(self) -> None:
        self.items: list[int] = []

    def enqueue(self, item: int) -> None:
        """Add an item at the end."""
        self.items.append(item)

    def dequeue(self) -> int:
        """Take the item from the front."""
        return self.items.pop(0)

    def is_empty(self) -> bool:
        """Return whether there is no item."""
        return not self.items


# write a point class
# point with x and y
# class for a point in the plane
# dataclass with two coordinates
# point class with a distance method
# create a point class
#: Point(0, 0).distance(Point(3, 4)) == 5
#: Point(1, 2) == Point(1, 2)
@dataclass
class Point:
    """A point in the plane."""

    x: float
    y: float

    def distance(self, other: "Point") -> float:
        """Return the distance to another point."""
        return math.hypot(self.x - other.x, self.y - other.y)


# write a bank account class
# bank account
# class with deposit and withdraw
# account with a balance
# class that refuses to overdraw an account
# create a bank account class
#: (lambda a: (a.deposit(50), a.withdraw(20), a.balance))(Account()) == (None, None, 30)
#: raises(ValueError, Account().withdraw, 1)
class Account:
    """A bank account."""

    def __init__(self) -> None:
        self.balance = 0

    def deposit(self, amount: int) -> None:
        """Add money."""
        self.balance += amount

    def withdraw(self, amount: int) -> None:
        """Take money; raise ValueError if there is too little."""
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount


# write a counter class
# class that counts
# counter with increment and reset
# object with a number that goes up
# class with an increment method
# create a counter class
#: (lambda c: (c.increment(), c.increment(), c.value))(Counter()) == (None, None, 2)
#: (lambda c: (c.increment(), c.reset(), c.value))(Counter()) == (None, None, 0)
class Counter:
    """A number that goes up by one."""

    def __init__(self) -> None:
        self.value = 0

    def increment(self) -> None:
        """Add one."""
        self.value += 1

    def reset(self) -> None:
        """Start again at zero."""
        self.value = 0


# write a rectangle class
# class for a rectangle with width and height
# rectangle with area and perimeter
# class with an area method
# object that knows its area and perimeter
# create a rectangle class
#: Rectangle(2, 3).area() == 6
#: Rectangle(2, 3).perimeter() == 10
class Rectangle:
    """A rectangle."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height

    def area(self) -> float:
        """Return the area."""
        return self.width * self.height

    def perimeter(self) -> float:
        """Return the length of the border."""
        return 2 * (self.width + self.height)


# write a person class
# class for a person with name and age
# person object with a greeting
# class with a name attribute
# person that introduces itself
# create a person class
#: Person("Ada", 36).introduce() == "I am Ada and 36 years old."
#: Person("Bob", 5).age == 5
class Person:
    """A person with a name and an age in years."""

    def __init__(self, name: str, age: int) -> None:
        self.name = name
        self.age = age

    def introduce(self) -> str:
        """Return a sentence about the person."""
        return f"I am {self.name} and {self.age} years old."


# write a dog class
# dog class
# class for a dog that barks
# dog with a name and a bark method
# class with a method that returns a sound
# create a dog class
#: Dog("Rex").bark() == "Rex says woof!"
#: Dog("Bo").name == "Bo"
class Dog:
    """A dog."""

    def __init__(self, name: str) -> None:
        self.name = name

    def bark(self) -> str:
        """Return what the dog says."""
        return f"{self.name} says woof!"


# write a temperature class
# class for a temperature with a property
# temperature in celsius with a fahrenheit property
# class with a property
# object that converts its temperature
# create a temperature class
#: Temperature(100).fahrenheit == 212
#: Temperature(0).celsius == 0
class Temperature:
    """A temperature in degrees Celsius."""

    def __init__(self, celsius: float) -> None:
        self.celsius = celsius

    @property
    def fahrenheit(self) -> float:
        """The same in degrees Fahrenheit."""
        return self.celsius * 9 / 5 + 32


# write a shopping cart class
# shopping cart
# class that adds up prices
# cart with add and total
# basket of items with prices
# create a shopping cart class
#: (lambda c: (c.add("tea", 3), c.add("milk", 2), c.total()))(ShoppingCart()) == (None, None, 5)
#: ShoppingCart().total() == 0
class ShoppingCart:
    """What somebody wants to buy."""

    def __init__(self) -> None:
        self.prices: dict[str, int] = {}

    def add(self, name: str, price: int) -> None:
        """Put an item into the cart."""
        self.prices[name] = price

    def total(self) -> int:
        """Return the sum of the prices."""
        return sum(self.prices.values())


# write a linked list class
# linked list
# list of nodes that point to the next
# class with a value and a pointer to the next node
# singly linked list with append
# implement a linked list
#: (lambda x: (x.append(2), x.append(3), x.to_list()))(LinkedList(1)) == (None, None, [1, 2, 3])
#: LinkedList(5).to_list() == [5]
class LinkedList:
    """A value, and a link to the node with the next one."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.next: LinkedList | None = None

    def append(self, value: int) -> None:
        """Add a value at the end."""
        node = self
        while node.next:
            node = node.next
        node.next = LinkedList(value)

    def to_list(self) -> list[int]:
        """Return the values in order."""
        return [self.value] + (self.next.to_list() if self.next else [])


# write a binary search tree class
# binary search tree
# tree with insert and contains
# class that keeps values in a sorted tree
# search tree with left and right children
# implement a binary search tree
#: (lambda t: (t.insert(2), t.insert(8), t.contains(8), t.contains(3)))(Tree(5)) == (None, None, True, False)
#: Tree(1).contains(1) is True
class Tree:
    """A node of a search tree: smaller values left, others right."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.children: dict[bool, Tree] = {}

    def insert(self, value: int) -> None:
        """Add a value in its place."""
        right = value >= self.value
        if right in self.children:
            self.children[right].insert(value)
        else:
            self.children[right] = Tree(value)

    def contains(self, value: int) -> bool:
        """Return whether the value was inserted."""
        child = self.children.get(value >= self.value)
        return value == self.value or (child is not None and child.contains(value))
