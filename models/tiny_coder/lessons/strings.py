"""Single texts: letters, words, simple ciphers."""


# reverse a string
# turn a text around
# return the characters of a string backwards
# flip a string
# write a function that reverses text
# spell a word backwards
# return a string in reverse order
#: reverse_string("abc") == "cba"
#: reverse_string("") == ""
def reverse_string(text: str) -> str:
    """Return the text backwards."""
    return text[::-1]


# check if a string is a palindrome
# palindrome
# does a word read the same backwards
# is a text equal to its reverse
# write a palindrome checker
# tell whether a word is a palindrome
# test if a text is a palindrome
#: is_palindrome("level") is True
#: is_palindrome("python") is False
#: is_palindrome("Never odd or even") is True
def is_palindrome(text: str) -> bool:
    """Return whether the letters read the same backwards, whatever their case."""
    letters = [character.lower() for character in text if character.isalnum()]
    return letters == letters[::-1]


# count the vowels in a string
# how many vowels are in a text
# number of vowels
# return how often a, e, i, o and u occur
# write a vowel counter
# count vowels in a word
#: count_vowels("Education") == 5
#: count_vowels("xyz") == 0
def count_vowels(text: str) -> int:
    """Return how many vowels a text has."""
    return sum(character in "aeiou" for character in text.lower())


# remove the vowels from a string
# delete all vowels of a text
# strip a, e, i, o and u from a word
# return the text without vowels
# write a function that drops vowels
# remove all vowels from a text
#: remove_vowels("Hello") == "Hll"
#: remove_vowels("aei") == ""
def remove_vowels(text: str) -> str:
    """Return the text without its vowels."""
    return "".join(character for character in text if character.lower() not in "aeiou")


# count the words in a text
# how many words are in a sentence
# number of words in a string
# return the word count
# write a word counter
# count words in a sentence
#: count_words("to be or not") == 4
#: count_words("") == 0
def count_words(text: str) -> int:
    """Return how many words a text has."""
    return len(text.split())


# count how often each word occurs in a text
# word frequency
# count the occurrences of every word
# make a dictionary of words and their counts
# map words to how often they appear
# frequency of words
# count the frequency of words in a text
#: word_counts("a b a") == {"a": 2, "b": 1}
#: word_counts("") == {}
def word_counts(text: str) -> dict[str, int]:
    """Return each word with how often it occurs."""
    counts: dict[str, int] = {}
    for word in text.split():
        counts[word] = counts.get(word, 0) + 1
    return counts


# count how often each character occurs
# character frequency
# count the letters of a string in a dictionary
# map characters to their number of occurrences
# make a histogram of letters
# frequency of characters
# count the frequency of characters in a string
#: character_counts("aab") == {"a": 2, "b": 1}
#: character_counts("") == {}
def character_counts(text: str) -> dict[str, int]:
    """Return each character with how often it occurs."""
    counts: dict[str, int] = {}
    for character in text:
        counts[character] = counts.get(character, 0) + 1
    return counts


# count a character in a string
# how often does a letter occur in a text
# number of times a character appears in a word
# return how many times a letter is in a string
# count the occurrences of one letter
# count how often a character appears in a string
#: count_character("banana", "a") == 3
#: count_character("banana", "x") == 0
def count_character(text: str, wanted: str) -> int:
    """Return how often one character occurs in a text."""
    return sum(character == wanted for character in text)


# check if two words are anagrams
# anagram
# do two strings have the same letters
# tell whether one word can be rearranged into another
# write an anagram checker
# test if two strings are anagrams
#: are_anagrams("listen", "silent") is True
#: are_anagrams("abc", "abd") is False
def are_anagrams(first: str, second: str) -> bool:
    """Return whether two words are made of the same letters."""
    return sorted(first.lower()) == sorted(second.lower())


# encrypt a text with the caesar cipher
# caesar cipher
# shift every letter of a text
# rotate the letters of the alphabet by n
# write a caesar encryption function
# encode a secret message by shifting letters
# encrypt a message with the caesar cipher
#: caesar("abc", 1) == "bcd"
#: caesar("xyz!", 3) == "abc!"
#: caesar("Hi", 0) == "Hi"
def caesar(text: str, shift: int) -> str:
    """Return the text with each letter moved along the alphabet."""
    result = ""
    for character in text:
        if character.isalpha():
            base = ord("A") if character.isupper() else ord("a")
            result += chr((ord(character) - base + shift) % 26 + base)
        else:
            result += character
    return result


# find the longest word in a sentence
# longest word
# return the word with the most letters
# which word of a text is the longest
# get the longest word of a string
# return the longest word of a text
#: longest_word("a quick fox") == "quick"
#: longest_word("one") == "one"
def longest_word(text: str) -> str:
    """Return the longest word of a text."""
    return max(text.split(), key=len)


# capitalize every word of a text
# title case
# make the first letter of each word upper case
# turn a sentence into title case
# write a function that capitalizes words
# capitalize the first letter of every word
#: capitalize_words("hello big world") == "Hello Big World"
#: capitalize_words("") == ""
def capitalize_words(text: str) -> str:
    """Return the text with each word capitalized."""
    return " ".join(word.capitalize() for word in text.split())


# reverse the words of a sentence
# put the words of a text in reverse order
# turn the word order around
# return the last word first
# flip the order of words
# reverse the order of the words in a sentence
#: reverse_words("one two three") == "three two one"
#: reverse_words("") == ""
def reverse_words(text: str) -> str:
    """Return the words of a text in reverse order."""
    return " ".join(reversed(text.split()))


# remove punctuation from a text
# delete punctuation marks
# strip commas and dots from a string
# keep only letters, digits and spaces
# clean a text of punctuation
# remove all punctuation from a string
#: remove_punctuation("Hi, you!") == "Hi you"
#: remove_punctuation("...") == ""
def remove_punctuation(text: str) -> str:
    """Return only the letters, digits and spaces of a text."""
    return "".join(character for character in text if character.isalnum() or character.isspace())


# remove duplicate characters from a string
# keep each letter of a word only once
# return the unique characters of a text in order
# delete repeated letters
# drop characters that were seen before
# remove repeated characters from a string
#: unique_characters("banana") == "ban"
#: unique_characters("") == ""
def unique_characters(text: str) -> str:
    """Return each character once, in the order of first use."""
    return "".join(dict.fromkeys(text))


# remove the spaces from a string
# delete all whitespace of a text
# strip every blank
# return the text without spaces
# write a function that takes out whitespace
# remove all spaces from a text
#: remove_spaces("a b  c") == "abc"
#: remove_spaces("") == ""
def remove_spaces(text: str) -> str:
    """Return the text without white space."""
    return "".join(text.split())


# convert snake case to camel case
# snake_case to camelCase
# turn a name with underscores into camel case
# rename a variable to camel case
# join words at underscores with capitals
# convert a snake case name to camel case
#: snake_to_camel("my_big_name") == "myBigName"
#: snake_to_camel("name") == "name"
def snake_to_camel(name: str) -> str:
    """Return the name in camel case."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


# convert camel case to snake case
# camelCase to snake_case
# turn a camel case name into one with underscores
# rename a variable to snake case
# put underscores before capitals
# convert a camel case name to snake case
#: camel_to_snake("myBigName") == "my_big_name"
#: camel_to_snake("name") == "name"
def camel_to_snake(name: str) -> str:
    """Return the name in snake case."""
    result = ""
    for character in name:
        if character.isupper() and result:
            result += "_"
        result += character.lower()
    return result


# compress a string with run length encoding
# run length encoding
# replace each run of a letter by the letter and its length
# encode runs of characters
# turn aaab into a3b1
# run length encode a string
#: run_length_encode("aaab") == "a3b1"
#: run_length_encode("") == ""
#: run_length_encode("abb") == "a1b2"
def run_length_encode(text: str) -> str:
    """Return each run of a character as the character and its length."""
    result = ""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or text[end] != text[start]:
            result += f"{text[start]}{end - start}"
            start = end
    return result


# check if a string contains only digits
# is a text a number
# tell whether a string is numeric
# test a string for digits only
# are all characters of a text digits
# check if a text has only digits
#: is_numeric("123") is True
#: is_numeric("12a") is False
#: is_numeric("") is False
def is_numeric(text: str) -> bool:
    """Return whether a text is made of digits only."""
    return text.isdigit()


# check if brackets are balanced
# balanced parentheses
# are all parentheses closed
# match opening and closing brackets with a stack
# validate the brackets of an expression
# test if the parentheses in a text are balanced
#: is_balanced("([]{})") is True
#: is_balanced("(]") is False
#: is_balanced("(") is False
#: is_balanced(")") is False
def is_balanced(text: str) -> bool:
    """Return whether every bracket is closed in the right order."""
    pairs = {")": "(", "]": "[", "}": "{"}
    stack: list[str] = []
    for character in text:
        if character in pairs.values():
            stack.append(character)
        elif character in pairs and (not stack or stack.pop() != pairs[character]):
            return False
    return not stack


# check if a string is a valid email address
# validate an email
# does a text look like an email address
# simple email check
# test for one at sign and a dot in the domain
# tell whether an email address is valid
#: is_email("ada@example.org") is True
#: is_email("ada.example.org") is False
#: is_email("@example.org") is False
def is_email(text: str) -> bool:
    """Return whether a text has a name, an at sign and a domain with a dot."""
    name, _, domain = text.partition("@")
    return bool(name) and "@" not in domain and "." in domain.strip(".")
