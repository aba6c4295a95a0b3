"""More of texts: cases, parts, codes."""

import secrets
import string


# convert a string to upper case
# make a text all capitals
# uppercase a string
# return the text in capital letters
# write a word in big letters
# turn a string into upper case
#: to_upper("abc") == "ABC"
#: to_upper("") == ""
def to_upper(text: str) -> str:
    """Return the text in capitals."""
    return text.upper()


# convert a string to lower case
# make a text all small letters
# lowercase a string
# return the text in small letters
# write a word without capitals
# turn a string into lower case
#: to_lower("ABC") == "abc"
#: to_lower("") == ""
def to_lower(text: str) -> str:
    """Return the text in small letters."""
    return text.lower()


# get the length of a string
# how long is a text
# number of characters in a string
# count the characters of a text
# return how many letters a word has
# find the length of a string
#: string_length("abc") == 3
#: string_length("") == 0
def string_length(text: str) -> int:
    """Return how many characters a text has."""
    return len(text)


# concatenate two strings
# join two texts
# put one string after another
# combine two strings into one
# append a string to a string
# join two strings together
#: concatenate("ab", "cd") == "abcd"
#: concatenate("", "x") == "x"
def concatenate(first: str, second: str) -> str:
    """Return the first text followed by the second."""
    return first + second


# replace a word in a text
# find and replace
# substitute one text for another
# exchange every occurrence of a word
# swap a word for another in a sentence
# replace text in a string
#: replace_text("a cat", "cat", "dog") == "a dog"
#: replace_text("abc", "x", "y") == "abc"
def replace_text(text: str, old: str, new: str) -> str:
    """Return the text with each old part replaced by the new."""
    return text.replace(old, new)


# shorten a text to a maximum length
# truncate a string
# cut a long text and add dots
# limit the length of a text with an ellipsis
# abbreviate a string that is too long
# truncate a text to a maximum length
#: truncate("abcdef", 5) == "ab..."
#: truncate("abc", 5) == "abc"
def truncate(text: str, length: int) -> str:
    """Return the text, or its start and three dots if it is too long."""
    if len(text) <= length:
        return text
    return text[: length - 3] + "..."


# make a slug from a title
# turn a title into a url part
# slugify
# lower case words joined by hyphens
# convert a headline to a slug
# create a slug from a text
#: slugify("Hello, Big World!") == "hello-big-world"
#: slugify("") == ""
def slugify(title: str) -> str:
    """Return the words of a title in small letters, joined by hyphens."""
    letters = "".join(character if character.isalnum() else " " for character in title.lower())
    return "-".join(letters.split())


# make an acronym from a phrase
# first letters of all words
# abbreviate a name to its initials
# take the initial of each word
# get the initials of a phrase
# return the initials of a name
#: acronym("portable network graphics") == "PNG"
#: acronym("") == ""
def acronym(phrase: str) -> str:
    """Return the capital first letters of the words."""
    return "".join(word[0].upper() for word in phrase.split())


# compute the hamming distance
# count the positions where two strings differ
# hamming distance of two words
# how many characters are different
# compare two strings of equal length
# calculate the hamming distance of two strings
#: hamming_distance("karolin", "kathrin") == 3
#: hamming_distance("", "") == 0
def hamming_distance(first: str, second: str) -> int:
    """Return at how many places two texts of one length differ."""
    return sum(a != b for a, b in zip(first, second, strict=True))


# check if all characters of a string are different
# has a string only unique characters
# does any letter occur twice in a word
# isogram test
# tell whether no character is repeated
# test if all letters of a word are different
#: all_different("abc") is True
#: all_different("aba") is False
def all_different(text: str) -> bool:
    """Return whether no character occurs twice."""
    return len(set(text)) == len(text)


# check if a text is a pangram
# pangram
# does a sentence use every letter of the alphabet
# are all letters from a to z in a text
# write a pangram checker
# test if a sentence is a pangram
#: is_pangram("The quick brown fox jumps over the lazy dog") is True
#: is_pangram("abc") is False
def is_pangram(text: str) -> bool:
    """Return whether every letter of the alphabet occurs."""
    return set("abcdefghijklmnopqrstuvwxyz") <= set(text.lower())


# translate a text to morse code
# morse code
# encode letters as dots and dashes
# write sos in morse
# convert a word to morse signals
# convert a text to morse code
#: to_morse("SOS") == "... --- ..."
#: to_morse("e") == "."
def to_morse(text: str) -> str:
    """Return the letters in Morse code, separated by blanks."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    codes = (
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- "
        "-. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
    ).split()
    table = dict(zip(letters, codes, strict=True))
    return " ".join(table[character] for character in text.lower())


# encode a text with rot13
# rot13
# shift letters by 13 places
# write a rot13 function
# decode rot13
# apply rot13 to a text
#: rot13("Hello") == "Uryyb"
#: rot13(rot13("abc xyz")) == "abc xyz"
def rot13(text: str) -> str:
    """Return the text with each letter moved by half the alphabet."""
    lower = "abcdefghijklmnopqrstuvwxyz"
    upper = lower.upper()
    table = str.maketrans(lower + upper, lower[13:] + lower[:13] + upper[13:] + upper[:13])
    return text.translate(table)


# generate a random password
# password generator
# make a random string of letters and digits
# create a secure password
# pick random characters for a password
# generate a password of a given length
#: len(random_password(12)) == 12
#: random_password(20).isalnum()
#: random_password(20) != random_password(20)
def random_password(length: int) -> str:
    """Return random letters and digits that nobody can guess."""
    characters = string.ascii_letters + string.digits
    return "".join(secrets.choice(characters) for _ in range(length))


# convert a string to an integer
# parse a number from text
# turn a text into an int or None
# read an integer from a string safely
# string to int without an error
# parse a string as a number
# parse a string as an integer
#: parse_int("42") == 42
#: parse_int("x") is None
def parse_int(text: str) -> int | None:
    """Return the integer that the text stands for, or None."""
    try:
        return int(text)
    except ValueError:
        return None


# count the upper case letters of a text
# how many capitals are in a string
# number of capital letters
# return how many letters are upper case
# write a function that counts capitals
# count the capital letters of a string
# count capital letters in a text
#: count_upper("HeLLo") == 3
#: count_upper("abc") == 0
def count_upper(text: str) -> int:
    """Return how many capitals a text has."""
    return sum(character.isupper() for character in text)
