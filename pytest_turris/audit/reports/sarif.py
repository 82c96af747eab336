"""The findings as SARIF 2.1.0, in the form that code hosts take.

GitHub shows a result only if it has a relative location, and refuses a file with several runs of
one category; so there is one run, and each result has a place below the repository.
"""

import re
from typing import Any
from urllib.parse import quote

from pytest_turris.audit.families import check_of
from pytest_turris.audit.reports.document import Document
from pytest_turris.core.text.docs_links import page

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_CATEGORY = "turris-audit/"
_MOST = 5_000
_LEVELS = {"must": "error", "should": "warning", "info": "note"}
_SEVERITIES = {"must": "8.0", "should": "5.0", "info": "1.0"}


def sarif(document: Document) -> dict[str, Any]:
    """The SARIF log of a report."""
    results = document["results"][:_MOST]
    ids = sorted({one["check"] for one in results})
    driver = {
        "name": document["tool"]["name"],
        "version": document["tool"]["version"],
        "informationUri": page("how-to/audit"),
        "rules": [_rule(id_) for id_ in ids],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": _CATEGORY},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, ids.index(one["check"])) for one in results],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(id_: str) -> dict[str, Any]:
    check = check_of(id_)
    return {
        "id": id_,
        "name": _name(check.title),
        "shortDescription": {"text": f"{_sentence(check.title)}"},
        "fullDescription": {"text": f"{_sentence(check.does)} {_sentence(check.why)}"},
        "help": {"text": f"{_sentence(check.fix)} Source: {_sentence(check.source)}"},
        "helpUri": check.help_uri,
        "defaultConfiguration": {"level": _LEVELS[check.level]},
        "properties": {
            "tags": ["security"],
            "precision": "high",
            "security-severity": _SEVERITIES[check.level],
        },
    }


def _name(title: str) -> str:
    """A title as an identifier in Pascal case, which does not begin with an article."""
    words = re.findall(r"[A-Za-z0-9]+", title)
    first = words[0] in ("A", "An")
    return "".join(word.capitalize() for word in words[first:])


def _result(one: Document, rule: int) -> dict[str, Any]:
    message = f"{_sentence(one['got'])} Expected: {_sentence(one['expected'])}"
    result: dict[str, Any] = {
        "ruleId": one["check"],
        "ruleIndex": rule,
        "level": _LEVELS[one["level"]],
        "message": {"text": message},
        "locations": [_location(one)],
        "partialFingerprints": {"turrisAudit/v1": one["fingerprint"]},
        "properties": {"tests": one["tests"], "exchanges": one["exchanges"]},
    }
    if waiver := one["waiver"]:
        reason = f"{waiver['reason']} ({waiver['owner']}, until {waiver['expires']})"
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": reason}
        ]
    return result


def _location(one: Document) -> dict[str, Any]:
    """The place of a result.

    Without a line of code it is the first line of the file that stands for the project: SARIF needs
    none, but GitHub shows no result without one.
    """
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(one["path"], safe="/")},
            "region": {"startLine": one["line"] or 1},
        }
    }
    if one["symbol"]:
        logical = {"fullyQualifiedName": one["symbol"]}
        location["logicalLocations"] = [logical | ({"kind": "function"} if one["line"] else {})]
    return location


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
