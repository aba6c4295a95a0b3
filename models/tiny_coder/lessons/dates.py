"""Dates and times."""

from datetime import date, timedelta


# count the days between two dates
# how many days are between two dates
# difference of two dates in days
# return the number of days from one date to another
# subtract dates
# days between two dates
#: days_between("2024-02-28", "2024-03-01") == 2
#: days_between("2024-01-01", "2024-01-01") == 0
def days_between(start: str, end: str) -> int:
    """Return the number of days from one ISO date to another."""
    return (date.fromisoformat(end) - date.fromisoformat(start)).days


# get the weekday of a date
# day of the week
# which weekday is a date
# return the name of the day for a date
# is a date a monday or a tuesday
# find the weekday of a date
#: weekday("2024-01-01") == "Monday"
#: weekday("2000-01-01") == "Saturday"
def weekday(day: str) -> str:
    """Return the name of the weekday of an ISO date."""
    names = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    return names[date.fromisoformat(day).weekday()]


# add days to a date
# which date is n days later
# return the date some days after another
# move a date forward
# compute a date in the future
# add a number of days to a date
#: add_days("2024-02-28", 2) == "2024-03-01"
#: add_days("2024-01-01", -1) == "2023-12-31"
def add_days(day: str, days: int) -> str:
    """Return the ISO date some days later."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


# check if a date is on a weekend
# is a date a saturday or sunday
# weekend test
# tell whether a day is at the weekend
# is there no work on a date
# test if a date is on the weekend
#: is_weekend("2024-01-06") is True
#: is_weekend("2024-01-08") is False
def is_weekend(day: str) -> bool:
    """Return whether an ISO date is a Saturday or a Sunday."""
    return date.fromisoformat(day).weekday() >= 5


# compute the age of a person
# how old is someone born on a date
# age in years from the birthday
# return the age on a given day
# calculate the years since birth
# calculate the age of a person from the birthday
#: age("2000-06-15", "2024-06-14") == 23
#: age("2000-06-15", "2024-06-15") == 24
def age(birthday: str, today: str) -> int:
    """Return the completed years between two ISO dates."""
    born = date.fromisoformat(birthday)
    now = date.fromisoformat(today)
    before_birthday = (now.month, now.day) < (born.month, born.day)
    return now.year - born.year - before_birthday


# convert seconds to hours, minutes and seconds
# format a duration
# turn seconds into h:mm:ss
# write seconds as a clock time
# split seconds into hours and minutes
# format seconds as hours, minutes and seconds
#: format_duration(3661) == "1:01:01"
#: format_duration(59) == "0:00:59"
def format_duration(seconds: int) -> str:
    """Return a duration as hours, minutes and seconds."""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


# return the number of days in a month
# how many days does a month have
# days in month
# length of a month
# last day of a month
# get the number of days of a month
#: days_in_month(2024, 2) == 29
#: days_in_month(2023, 12) == 31
def days_in_month(year: int, month: int) -> int:
    """Return how many days a month has."""
    first = date(year, month, 1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return (next_month - first).days
