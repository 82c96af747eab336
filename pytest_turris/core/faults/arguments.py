"""Whether the values for a fault are of their type: a caller without a type checker passes any."""

import math


def is_whole_number(number: object, lowest: int, highest: float = math.inf) -> bool:
    """Whether it is a whole number in a range."""
    return isinstance(number, int) and lowest <= number <= highest


def is_duration(seconds: object) -> bool:
    """Whether it is a number of seconds."""
    return isinstance(seconds, int | float) and seconds >= 0
