"""The messages of broken rules are class-validator's, whichever member of whichever call breaks."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from doubles.api_recipes import PDF, form
from doubles.sandbox_client import Client, refusal
from pydantic import BaseModel

from pytest_turris.core.api.routes import OPERATIONS
from pytest_turris.core.wire.errors import InvalidInput
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.wire.model import RequestModel
from pytest_turris.core.wire.validation import FieldRules, read_body, read_multipart, read_query

VALUES: tuple[Any, ...] = (
    None, True, 5, 5.5, "", "x", "1" * 3_000, [], [""], [5], [None], ["1"] * 21, {}, {"a": 1},
)  # fmt: skip
RULES = (
    "must be a string", "must be a boolean value", "must be an array", "must be an object",
    "must be a file", "must be an email", "must be a mongodb id", "must be a URL address",
    "should not be empty", "must be one of the following values: .+",
    r"must be shorter than or equal to \d+ characters", r"must contain at least 1 elements",
    r"must contain no more than 20 elements", "must match /.+/ regular expression",
    # Of two members, in our words: class-validator has no such rule.
    "and .+ must be provided together", "is mutually exclusive with .+", "is required when .+",
)  # fmt: skip
KNOWN = re.compile(rf"Field '[\w.]+' is required|(each value in )?[\w.]+ ({'|'.join(RULES)})")
MISSING = ("field_is_required", "class_validator")


def documents(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    """Documents with one member, which has each of the values, at each depth; and an empty one."""
    yield {}
    for name, field in model.model_fields.items():
        member = field.alias or name
        yield from ({member: value} for value in VALUES)
        for part in get_args(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from ({member: inner} for inner in documents(part))


def requests(kind: str, model: type[RequestModel]) -> Iterator[Request]:
    """The documents as bodies, queries or forms."""
    for document in documents(model):
        query, headers, body = "", {"content-type": "application/json"}, b""
        if kind == "body":
            body = json.dumps(document).encode()
        elif kind == "query":
            query = urlencode(document, doseq=True)
        else:
            texts = {name: str(value) for name, value in document.items()}
            headers, body = form(texts, PDF, "application/pdf")
        fields = tuple(headers.items())
        yield Request(method="POST", path="/", query=query, headers=fields, body=body)


READERS = {"body": read_body, "query": read_query, "form": read_multipart}
MODELS = [
    pytest.param(kind, model, id=model.__name__)
    for kind in READERS
    for model in dict.fromkeys(getattr(row, kind) for row in OPERATIONS)
    if model is not None
]


@pytest.mark.parametrize(("kind", "model"), MODELS)
def test_no_message_is_that_of_another_library(kind: str, model: type[RequestModel]) -> None:
    """Each member of each request model gets values of every type, none, and many."""
    for request, missing in itertools.product(requests(kind, model), MISSING):
        rules = FieldRules(missing=missing)  # type: ignore[arg-type] # one of the two words
        try:
            READERS[kind](model, request, [], rules)
        except InvalidInput as refused:
            strange = [text for text in refused.messages if not KNOWN.fullmatch(text)]
            assert strange == []


@pytest.mark.parametrize(
    ("npns", "message"),
    [
        ([], "npns must contain at least 1 elements"),
        (["1"] * 21, "npns must contain no more than 20 elements"),
        ([5, 6], "each value in npns must be a string"),
        ([""], "each value in npns should not be empty"),
    ],
)
def test_the_words_of_a_list_and_of_its_values(
    caller: Client, npns: list[object], message: str
) -> None:
    """One message for all values, without their places."""
    answer = caller.post("/v1/npn-lookup", {"npns": npns})
    assert refusal(answer) == (400, "invalid_input", [message])


def test_the_words_of_a_form_that_a_text_has(caller: Client) -> None:
    """The expression as JavaScript writes it."""
    path = "/v1/downstream-entity-associations/licenses/surplus-lines"
    answer = caller.get(f"{path}?stateCode=CA&fein=12-34")
    assert refusal(answer)[2] == [r"fein must match /^\d{2}-?\d{7}$/ regular expression"]
