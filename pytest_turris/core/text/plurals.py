"""Numbers with their nouns, for messages: ``1 request``, ``2 requests``."""


def counted(number: int, noun: str) -> str:
    """A number and its noun, with an ``s`` unless there is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
