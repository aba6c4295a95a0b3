"""Files and the formats in them."""
# ruff: noqa: PTH123 - open() with a path is what people expect to be shown

import csv
import json
from pathlib import Path


# read a file
# read a text file
# return the contents of a file
# open a file and read it
# load text from a file
# get the text of a file as a string
# get the content of a file as a string
#: read_file(saved("hi\n")) == "hi\n"
#: raises(FileNotFoundError, read_file, "missing.txt")
def read_file(path: str) -> str:
    """Return the text of a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


# write text to a file
# write a file
# save a string in a file
# store text on disk
# create a file with some content
# save text to a file
#: write_file("out.txt", "hi") is None and Path("out.txt").read_text() == "hi"
#: write_file("out.txt", "") is None and Path("out.txt").read_text() == ""
def write_file(path: str, text: str) -> None:
    """Replace the contents of a file by the text."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# append a line to a file
# add text to the end of a file
# write one more line to a log file
# append to a file
# extend a file by a line
# add a line to the end of a text file
#: append_line(saved("a\n"), "b") is None and Path("saved.txt").read_text() == "a\nb\n"
#: append_line(saved(""), "b") is None and Path("saved.txt").read_text() == "b\n"
def append_line(path: str, line: str) -> None:
    """Add a line at the end of a file."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(line + "\n")


# read the lines of a file
# read a file line by line
# return a list of lines from a file
# load all lines of a text file
# split a file into lines
# read a file into a list of lines
#: read_lines(saved("a\nb\n")) == ["a", "b"]
#: read_lines(saved("")) == []
def read_lines(path: str) -> list[str]:
    """Return the lines of a file without their line ends."""
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


# count the lines of a file
# how many lines does a file have
# number of lines in a text file
# return the line count of a file
# write a line counter
# count lines in a file
#: count_lines(saved("a\nb\n")) == 2
#: count_lines(saved("")) == 0
def count_lines(path: str) -> int:
    """Return how many lines a file has."""
    with open(path, encoding="utf-8") as file:
        return sum(1 for _ in file)


# count the words of a file
# how many words does a file have
# number of words in a text file
# return the word count of a file
# open a file and count its words
# count words in a file
#: count_words_in_file(saved("a b\nc\n")) == 3
#: count_words_in_file(saved("")) == 0
def count_words_in_file(path: str) -> int:
    """Return how many words a file has."""
    with open(path, encoding="utf-8") as file:
        return len(file.read().split())


# read a json file
# load json from a file
# parse a json file
# open a file and decode its json
# return the data of a json file
# read json data from a file
#: read_json(saved('{"a": [1]}')) == {"a": [1]}
#: raises(ValueError, read_json, saved("{"))
def read_json(path: str) -> object:
    """Return the data of a JSON file."""
    with open(path, encoding="utf-8") as file:
        data: object = json.load(file)
    return data


# write a json file
# save data as json
# dump a dictionary to a json file
# store an object as json on disk
# encode data as json in a file
# write json to a file
# write data to a json file
#: write_json("out.json", {"a": 1}) is None and "".join(Path("out.json").read_text().split()) == '{"a":1}'
#: write_json("out.json", []) is None and Path("out.json").read_text() == "[]"
def write_json(path: str, data: object) -> None:
    """Replace the contents of a file by the data as JSON."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump(data, file, indent=2)


# read a csv file
# load rows from a csv file
# parse a csv file into dictionaries
# open a table of comma separated values
# return the rows of a csv file
# read csv data from a file
#: read_csv(saved("a,b\n1,2\n")) == [{"a": "1", "b": "2"}]
#: read_csv(saved("a,b\n")) == []
def read_csv(path: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file by the names of its columns."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


# write a csv file
# save rows as csv
# store a table as comma separated values
# write a list of rows to a csv file
# export rows to csv
# write rows to a csv file
#: write_csv("out.csv", [["a", "b"], ["1", "2"]]) is None and Path("out.csv").read_text() == "a,b\n1,2\n"
#: write_csv("out.csv", []) is None and Path("out.csv").read_text() == ""
def write_csv(path: str, rows: list[list[str]]) -> None:
    """Replace the contents of a file by the rows as CSV."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


# check if a file exists
# does a file exist
# is there a file at a path
# tell whether a path is a file
# test for a file on disk
# test if a file exists
#: file_exists(saved("a")) is True
#: file_exists("missing.txt") is False
def file_exists(path: str) -> bool:
    """Return whether there is a file at the path."""
    return Path(path).is_file()


# get the size of a file
# how big is a file
# file size in bytes
# return the number of bytes of a file
# measure a file
# get the size of a file in bytes
#: file_size(saved("abc")) == 3
#: file_size(saved("")) == 0
def file_size(path: str) -> int:
    """Return the size of a file in bytes."""
    return Path(path).stat().st_size


# get the extension of a file name
# file extension
# return the ending of a file name
# what type has a file by its name
# split the suffix off a path
# get the file extension from a path
#: extension("a/b.txt") == ".txt"
#: extension("README") == ""
def extension(path: str) -> str:
    """Return what follows the last dot of a file name, with the dot."""
    return Path(path).suffix


# list the files of a folder
# which files are in a directory
# return the names of all files in a folder
# show the contents of a directory
# get file names from a folder
# list all files in a directory
#: saved("x", "only.txt") in list_files(".")
#: raises(FileNotFoundError, list_files, "missing")
def list_files(folder: str) -> list[str]:
    """Return the names of the files in a folder, sorted."""
    return sorted(path.name for path in Path(folder).iterdir() if path.is_file())


# copy a text file
# duplicate a file
# read one file and write it to another
# make a copy of a file
# copy the contents of a file to a new file
# copy a file to another path
#: copy_file(saved("hi"), "copy.txt") is None and Path("copy.txt").read_text() == "hi"
#: raises(FileNotFoundError, copy_file, "missing.txt", "copy.txt")
def copy_file(source: str, target: str) -> None:
    """Write the text of one file to another."""
    with open(source, encoding="utf-8") as file:
        text = file.read()
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


# find the lines of a file that contain a word
# search a file for a text
# grep
# return the lines with a given word
# filter the lines of a file
# search for a word in a file
#: find_lines(saved("one\ntwo\n"), "tw") == ["two"]
#: find_lines(saved("one\n"), "x") == []
def find_lines(path: str, wanted: str) -> list[str]:
    """Return the lines of a file that contain the wanted text."""
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if wanted in line]
