"""Writes a recipe as a pytest test. Everything that a client sent is a literal in it."""

import dataclasses
import datetime as dt
import re

from mock_server.page.reproduction.recipe import Recipe
from mock_server.page.resending import AUTHORIZATION, own_headers, token_body
from pytest_turris.core.options import Options

_LONGEST_NAME = 60
_LONGEST_REASON = 200


def source(recipe: Recipe) -> str:
    """The text of a file with one test."""
    exchange, steps = recipe.exchange, recipe.steps
    marks = _marks(recipe.options)
    needs = {line for step in steps for line in step.imports}
    if any("timedelta" in line for line in marks):
        needs.add("from datetime import timedelta")
    imports = {"import httpx"} | ({"import pytest"} if marks or not exchange.status else set())
    own = sorted(line for line in needs if "pytest_turris" in line)
    standard = sorted((line for line in needs if line not in own), key=lambda line: line.split()[1])
    constants = [step.constants for step in steps if step.constants]
    head = "\n\n".join("\n".join(group) for group in (standard, [*sorted(imports), *own]) if group)
    body = [line for step in steps for line in step.code]
    lines = [
        *marks,
        f"def test_{_name(recipe)}(turris):",
        f"    {_docstring(recipe)}",
        *(f"    {line}" for line in body),
        *(f"    {line}" for line in _sending(recipe)),
    ]
    return "\n\n".join([head, *constants]) + "\n\n\n" + "\n".join(lines) + "\n"


def _sending(recipe: Recipe) -> list[str]:
    exchange = recipe.exchange
    arguments = [f"{exchange.method!r}", f"turris.base_url + {exchange.target!r}"]
    headers = [f"{name!r}: {value!r}" for name, value in own_headers(exchange).items()]
    if recipe.carrier:
        value = 'f"Bearer {bearer}"' if recipe.carrier == AUTHORIZATION else "bearer"
        headers.append(f'"{recipe.carrier}": {value}')
    if headers:
        arguments.append(f"headers={{{', '.join(headers)}}}")
    if token_body(exchange):
        secret = "turris.client.client_secret" if recipe.right_secret else '"wrong"'
        members = f'"clientId": turris.client.client_id, "clientSecret": {secret}'
        arguments.append(f"json={{{members}}}")
    elif exchange.request_body:
        arguments.append(f"content={exchange.request_body!r}")
    call = ["httpx.request(", *(f"    {one}," for one in arguments), ")"]
    if not exchange.status:
        return ["with pytest.raises(httpx.TransportError):", *(f"    {line}" for line in call)]
    call[0] = f"response = {call[0]}"
    if exchange.refused:
        call = [
            f"with turris.expect_refusal(status={exchange.status}):",
            *(f"    {line}" for line in call),
        ]
    return [*call, f"assert response.status_code == {exchange.status}"]


def _name(recipe: Recipe) -> str:
    exchange = recipe.exchange
    words = f"{exchange.operation or exchange.method}_{exchange.status or 'no_answer'}"
    return re.sub(r"\W+", "_", words.lower(), flags=re.ASCII).strip("_")[:_LONGEST_NAME]


def _docstring(recipe: Recipe) -> str:
    exchange = recipe.exchange
    answer = f"is answered with {exchange.status}" if exchange.status else "gets no answer"
    reason = f": {exchange.reason[:_LONGEST_REASON]}" if exchange.reason else "."
    text = f"{exchange.method} {exchange.target[:_LONGEST_REASON]} {answer}{reason}"
    plain = "".join(c if c.isprintable() and c not in '\\"' else "?" for c in text)
    return f'"""{plain}"""'


def _marks(options: Options) -> list[str]:
    """The marker for the options that are not at their defaults."""
    default = Options()
    names = [field.name for field in dataclasses.fields(options)]
    changed = [
        f"{name}={_literal(value)}"
        for name in names
        if (value := getattr(options, name)) != getattr(default, name)
    ]
    return [f"@pytest.mark.turris({', '.join(changed)})"] if changed else []


def _literal(value: object) -> str:
    if isinstance(value, dt.timedelta):
        return f"timedelta(seconds={value.total_seconds():g})"
    return repr(value)
