"""Parses JSON and TOML that a user wrote; what cannot be read says why, in words for users."""

import codecs
import contextlib
import json
import sys
import tomllib
from collections.abc import Iterator
from typing import Any

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""The mark of UTF-32 in little-endian order begins with that of UTF-16."""


class DocumentError(ValueError):
    """A document of a user cannot be read; the text is the reason."""


def text_of_user(content: bytes) -> str:
    """Return the text of a file in UTF-8, without the mark that editors on Windows put before it.

    Raises:
        DocumentError: It is in another encoding.
    """
    if content.startswith(_OTHER_MARKS) or b"\0" in content[:4]:
        raise DocumentError("it is in UTF-16 or UTF-32: save it as UTF-8")
    try:
        return content.decode().removeprefix(_MARK)
    except UnicodeDecodeError as error:
        place = f"byte 0x{content[error.start]:02x} at {error.start}"
        raise DocumentError(f"it is not text in UTF-8 ({place})") from None


def json_of_user(document: str | bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON document.

    Raises:
        DocumentError: It is not JSON in UTF-8, is nested too deeply, or has too long a number.
    """
    text = text_of_user(document) if isinstance(document, bytes) else document.removeprefix(_MARK)
    with _explained():
        return json.loads(text)


def json_or_text_of_user(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text, or the text itself if it is not JSON.

    Raises:
        DocumentError: It is nested too deeply.
    """
    with _explained(), contextlib.suppress(ValueError):
        return json.loads(text)
    return text


def toml_of_user(content: bytes) -> dict[str, Any]:
    """Return the tables of a TOML document.

    Raises:
        DocumentError: It is not TOML in UTF-8, is nested too deeply, or has too long a number.
    """
    text = text_of_user(content)
    with _explained():
        return tomllib.loads(text)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Say for users what a parser raises."""
    try:
        yield
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise DocumentError(str(error)) from None
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    except ValueError:
        most = sys.get_int_max_str_digits()
        raise DocumentError(f"it has a number of more than {most} digits") from None
