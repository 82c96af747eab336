"""Advice of the sandbox in words of the command line: any language uses its controls."""

_ADVICE: tuple[tuple[str, str], ...] = (
    (
        "Put the call into 'with turris.expect_refusal():'",
        "Run 'turris-sandbox journal expect'",
    ),
    (
        "@pytest.mark.turris(fail_on_refusal=False)",
        "'turris-sandbox options change failOnRefusal=false'",
    ),
    ("faults.add(..., optional=True)", "Add it with --optional ('optional' in JSON)"),
    (
        "@pytest.mark.turris(fail_on_unused_fault=False)",
        "'turris-sandbox options change failOnUnusedFault=false'",
    ),
    (
        "Use the fixture turris_hostile_answer: run(call, new_client=...)",
        "Only a test in pytest can give it, with the fixture turris_hostile_answer",
    ),
    (
        "call turris_time.to_refresh_point(plus=timedelta(milliseconds=1)) and call again",
        "run 'turris-sandbox clock to-refresh-point --plus 1ms', and let the client call again",
    ),
    (
        "associations.update(..., first_name=..., last_name=..., email=...)",
        "'turris-sandbox update associations ID firstName=... lastName=... email=...'",
    ),
    (
        "processed=True needs a connection; use error='reset'",
        "a processed request needs a connection; use the error 'reset'",
    ),
)
"""What Python reads, and what a shell reads in its place."""


def in_commands(text: str) -> str:
    """Return a text of the sandbox with the commands that do what its advice says in Python."""
    for python, command in _ADVICE:
        text = text.replace(python, command)
    return text
