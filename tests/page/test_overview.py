"""The overview, and what its buttons do."""

import datetime as dt

from doubles.visitor import Visitor


def test_shows_what_the_sandbox_holds(visitor: Visitor) -> None:
    """Clock, masked credentials, counts, limits, faults, tenants."""
    sandbox = visitor.sandbox
    sandbox.seed("small_agency")
    sandbox.faults.add("list_agents", status=503)
    text = visitor.get("overview").text
    assert sandbox.client.client_id in text
    assert str(sandbox.client.client_secret) not in text
    assert f"***-{sandbox.client.client_secret[-4:]}" in text
    assert ">10 of 10<" in text.replace("\n", "")
    assert "list_agents" in text
    assert "start the server with --store" in text
    sandbox.faults.clear()


def test_clock_buttons_move_the_clock(visitor: Visitor) -> None:
    """They answer in the line of notices, and let the rest of the page follow."""
    clock = visitor.sandbox.clock
    clock.offset = dt.timedelta(0)
    seen = visitor.post("do/clock/advance", by="5m", done="5 minutes have passed.")
    assert clock.offset == dt.timedelta(minutes=5)
    assert "5 minutes have passed." in seen.text
    assert seen.headers["hx-trigger-after-swap"] == "changed"
    visitor.post("do/clock/move", to="2027-03-01T12:00:00")
    assert f"{clock.now():%Y-%m-%d %H:%M}" == "2027-03-01 12:00"
    visitor.post("do/clock/back-to-now")
    assert clock.offset == dt.timedelta(0)


def test_a_button_that_cannot_be_done_says_why(visitor: Visitor) -> None:
    """And leaves what is open as it is."""
    visitor.sandbox.tokens.restore([])
    seen = visitor.post("do/clock/to-expiry")
    assert "no token was issued yet" in seen.text
    assert seen.headers["hx-reswap"] == "none"


def test_copies_of_the_credentials_work(visitor: Visitor) -> None:
    """They have the secret, and come for a POST of the page alone."""
    secret = str(visitor.sandbox.client.client_secret)
    assert f"TURRIS_CLIENT_SECRET={secret}\n" in visitor.post("copy/env").text
    assert "export TURRIS_CLIENT_SECRET=" in visitor.post("copy/exports").text
    assert "/v1/auth/jwt" in visitor.post("copy/token-request").text
    assert visitor.get("copy/env").status == 404


def test_a_secret_that_is_issued_is_shown_once(visitor: Visitor) -> None:
    """In the dialog; the overview masks it."""
    seen = visitor.do("credentials issue", environment="sandbox")
    issued = [one for one in visitor.sandbox.credentials if one is not visitor.sandbox.client]
    assert str(issued[-1].client_secret) in seen.text
    assert str(issued[-1].client_secret) not in visitor.get("overview").text


def test_forms_are_made_from_the_models(visitor: Visitor) -> None:
    """With choices, defaults, help, and what is required."""
    text = visitor.get("form/tenants/create").text
    assert 'value="national_network"' in text
    text = visitor.get("form/clock/advance?by=5m").text
    assert 'value="5m"' in text
    assert "How much time passes." in text
    assert visitor.get("form/no/control").status == 404


def test_errors_are_at_their_fields(visitor: Visitor) -> None:
    """What was entered stays; nothing was changed."""
    seen = visitor.do("faults add", operation="list_agents", status="soon", headers="{", delay="5m")
    assert len(list(visitor.sandbox.faults)) == 0
    assert "Expected JSON" in seen.text
    seen = visitor.do("faults add", operation="list_agents", status="soon", delay="5m")
    assert seen.text.count('aria-invalid="true"') == 1
    assert "Expected a whole number" in seen.text
    assert 'value="soon"' in seen.text
    seen = visitor.do("faults add", operation="list_agentz", status="503")
    assert "list_agents" in seen.text
    assert 'role="alert"' in seen.text


def test_values_become_what_the_model_says(visitor: Visitor) -> None:
    """Numbers, switches, durations, lists, objects."""
    visitor.do(
        "faults add", operation="list_agents", status="503", delay="1m", times="2",
        processed="true", headers='{"Retry-After": "7"}',
    )  # fmt: skip
    (fault,) = visitor.sandbox.faults
    assert (fault.status, fault.delay, fault.times) == (503, dt.timedelta(minutes=1), 2)
    assert (fault.processed, dict(fault.headers)) == (True, {"Retry-After": "7"})
    visitor.post("do/faults/clear")
    visitor.do("webhooks retries", waits="1m\n5m, 1h")
    schedule = visitor.sandbox.outbox.schedule
    assert [wait.total_seconds() for wait in schedule] == [60, 300, 3_600]


def test_tenants_have_pages_of_their_own(visitor: Visitor) -> None:
    """What is done on one's page is done to it alone."""
    visitor.do("tenants create", name="other")
    other = Visitor(visitor.server, visitor.cookie, visitor.csrf, tenant="other")
    before = visitor.sandbox.clock.offset
    other.post("do/clock/advance", by="9m")
    assert visitor.sandbox.clock.offset == before
    assert "+9 min" in other.get("overview").text
    assert "other" in visitor.get("overview").text


def test_streams_and_unknown_controls_have_no_form(visitor: Visitor) -> None:
    """They are refused in words."""
    assert visitor.post("do/journal/follow").status == 404
    assert visitor.post("do/no/control").status == 404
