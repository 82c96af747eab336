"""Plain English: phrases that read as translated, and what to say instead."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class Phrase(NamedTuple):
    """A pattern, what to say instead, and an example of each."""

    pattern: str
    instead: str
    bad: str
    good: str


PHRASES = (
    Phrase(r"is no one of", "is not one of", "'x' is no one of 'a', 'b'", "'x' is not one of"),
    Phrase(
        r"(?<!there )is no (?!longer|more|less|later|earlier)\w+",
        "is not a",
        "status=200 is no error",
        "there is no error, and status=200 is not an error; it is no longer here",
    ),
    Phrase(
        r"(?<!there )are no (?!longer|more|less)\w+",
        "are not",
        "they are no errors",
        "there are no errors",
    ),
    Phrase(r"(?<!there )(?:is|are) none", "does not exist", "it is none", "if there is none"),
    Phrase(r"anew", "again, a new", "asks anew", "asks again, for a new one"),
    Phrase(r"whoever", "the caller, any client", "whoever asks", "any client that asks"),
    Phrase(r"told", "reported, printed, given", "as it is told what", "as it is reported"),
    Phrase(
        r"tells? (?:of|the|what|how|who)",
        "says, reports, prints",
        "it tells what happened",
        "it tells whether to; clients cannot tell",
    ),
    Phrase(
        r"(?<!['\"=])(?:sandbox|process|class|address)'(?= [a-z])",
        "'s",
        "the sandbox' own clock",
        "the sandbox's own clock; environment='sandbox' or 'process' is",
    ),
    Phrase(r"\w+\(e?s\)", "1 request, 2 requests", "3 request(s)", "3 requests"),
    Phrase(r"of who", "of the client that", "of who asks", "of the client; of whose"),
    Phrase(r"beside", "besides, next to, with", "beside others", "besides others"),
    Phrase(r"so (?:many|often)", "this many, that often", "so often", "this often"),
    Phrase(r"of (?:its|their) own making", "its own", "of its own making", "its own"),
    Phrase(r"all the same", "anyway", "it works all the same", "it works anyway"),
    Phrase(r"(?:no|some|any|every)body", "the passive", "nobody reads it", "it is not read"),
    Phrase(
        r"(?:stands?|stood) (?:there|at|on|below|above|behind|before|under|elsewhere)",
        "is",
        "what stands below it",
        "it stands in for Turris",
    ),
    Phrase(r"as whom", "as which", "it retries, as whom", "it retries, as which sender"),
    Phrase(r"for ever", "forever", "it waits for ever", "it waits forever"),
    Phrase(r"hears? of", "receives", "it hears of events", "it receives events"),
    Phrase(r"heed(?:s|ed)?", "follow, respect", "it is not heeded", "it is not followed"),
    Phrase(r"from when on", "from the moment", "from when on it is", "from the moment it is"),
    Phrase(r"(?:came|wanted):", "got:, expected:", "came: 200", "got: 200"),
    Phrase(
        r"no longer(?=[.;,:)]|$)", "no longer does", "it counts no longer.", "it no longer counts."
    ),
    Phrase(r"(?:to|for) who", "to a client that", "the answer to who asks", "to whom, to a client"),
    Phrase(
        r"that there (?:is|are)(?=[.;,:)]|$)",
        "existing",
        "the tables that there are.",
        "the existing tables; if there are some, that there are two",
    ),
    Phrase(r"least level", "lowest level", "the least level", "the lowest level, at least"),
    Phrase(r"not for you\?", "how to ignore it", "not for you? ignore", "to ignore it"),
    Phrase(
        r"(?:after|by|for|than) so (?:long|much)",
        "this long, this much",
        "deleted after so long",
        "deleted after this long, so long as",
    ),
    Phrase(r"in vain", "without success", "it waits in vain", "it waits without success"),
    Phrase(
        r"knows? of",
        "know about",
        "the server knows of it",
        "the server knows about it",
    ),
    Phrase(
        r"(?-i:Who) (?!is |was |has )(?:may|can|\w+s) (?:[\w']+ )+?\w+s(?= \w)",
        "a receiver that, a client that",
        "Who parses it first gives strangers a parser",
        "A receiver that parses it gives; Who says so",
    ),
    Phrase(
        r"only who",
        "only the client that",
        "only who has the key",
        "only the owner; only those who",
    ),
    Phrase(
        r"lets? go of", "release", "it lets go of the lock", "it releases the lock, and lets it go"
    ),
)
COMPILED = [
    (re.compile(rf"(?<!\w){one.pattern}(?!\w)", re.IGNORECASE), one.instead) for one in PHRASES
]
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_QUOTES = re.compile(r"^#|^\w{0,2}(?:\"\"\"|\"|')|(?:\"\"\"|\"|')$")


def found_in(text: str) -> list[str]:
    """The phrases in a text, each with what to say instead."""
    text = " ".join(text.split())
    return [
        f"{found.group()!r}: say {instead}"
        for pattern, instead in COMPILED
        for found in pattern.finditer(text)
    ]


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """The strings and comments of a module with their lines, those in a row as one text."""
    begun, parts = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind in {"STRING", "COMMENT", "FSTRING_MIDDLE"}:
            begun = begun if parts else token.start[0]
            parts.append(_QUOTES.sub("", token.string))
        elif kind not in {"NL", "FSTRING_START", "FSTRING_END"} and parts:
            yield begun, "".join(parts)
            parts = []


def prose_of(page: str) -> Iterator[tuple[int, str]]:
    """The paragraphs, items and rows of a page with their lines, without code."""
    page = _FENCED.sub(lambda code: "\n" * code[0].count("\n"), page)
    page = re.sub(r"`[^`\n]*`", "`code`", page)
    line = 1
    for part in re.split(r"\n(?=\n|\||- |#)", page):
        yield line + len(part) - len(part.lstrip("\n")), part.strip()
        line += part.count("\n") + 1


def files() -> list[Path]:
    """The modules of both packages, the README and the docs with the scripts that make them."""
    patterns = ("pytest_turris/**/*.py", "mock_server/**/*.py", "docs/**/*.md", "docs/tables/*.py")
    found = {path for pattern in patterns for path in ROOT.glob(pattern)}
    return sorted(found | {ROOT / "README.md", ROOT / "docs" / "pages.py"})


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.pattern)
def test_each_phrase_is_found(phrase: Phrase) -> None:
    """In its bad example, and not in its good one."""
    assert found_in(phrase.bad)
    assert not found_in(phrase.good)


def test_texts_of_a_module() -> None:
    """Comments and strings over several lines are one text each; code is left out."""
    source = 'is_no = "is no"\n# is\n# no one\nx = f("told " # why\n  "what")\n'
    assert list(texts_of(source)) == [(1, "is no"), (2, " is no one"), (4, "told  whywhat")]


def test_prose_of_a_page() -> None:
    """Code is left out, and lines are counted."""
    page = "# Title\n\nIt `is no` code.\n\n```python\nanew = 1\n```\n\nasks\nanew\n"
    texts = [(line, text) for line, text in prose_of(page) if text]
    assert texts == [(1, "# Title"), (3, "It `code` code."), (9, "asks\nanew")]


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_file_is_in_plain_english(path: Path) -> None:
    """Docstrings, comments, messages and prose, with the line at which each text begins."""
    texts = texts_of if path.suffix == ".py" else prose_of
    found = [
        f"{path.relative_to(ROOT)}:{line}: {phrase}"
        for line, text in texts(path.read_text(encoding="utf-8"))
        for phrase in found_in(text)
    ]
    assert not found, "\n".join(found)
