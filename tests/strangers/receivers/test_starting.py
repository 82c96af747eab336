"""Every stranger's receiver starts and works, whatever the attacks say about it."""

import threading

import pytest
from doubles.fixed_webhooks import fixed_factory
from strangers.receivers.bug import BUGS, Bug
from strangers.receivers.conftest import Require
from strangers.receivers.serving import Served, served
from strangers.receivers.stack import CORRECT
from strangers.receivers.stacks import STACKS

from pytest_turris.core.entity.event_models import EVENTS
from pytest_turris.process.steady_clock import steady_time
from pytest_turris.webhooks.signed import SignedWebhook


@pytest.mark.parametrize("name", STACKS)
def test_correct_receiver_does_what_is_signed_once(name: str, require: Require) -> None:
    """Each event has an effect when it is new, none when it comes again or is not signed."""
    require(name)
    factory = fixed_factory()
    with served(name) as receiver:
        for event in EVENTS:
            webhook, before = factory.event(event), receiver.store.effects()
            assert _status(receiver, webhook) in range(200, 300)
            done = _more_than(before, receiver)
            assert _status(receiver, webhook) in range(200, 300)
            assert _status(receiver, webhook.tampered()) in range(400, 500)
            assert _status(receiver, webhook.unsigned()) in range(400, 500)
            assert receiver.store.effects() == done


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_bug_is_a_change_of_the_receiver_as_it_is(bug: Bug) -> None:
    """The lines that a bug changes are in the receiver that it was made from."""
    source = (CORRECT / bug.base / STACKS[bug.base].source).read_text()
    assert bug.apply(source) != source


def test_a_hundred_bugs_have_names_of_their_own() -> None:
    """There are at least a hundred, and no two have the same name."""
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 100


def _status(receiver: Served, webhook: SignedWebhook) -> int:
    return webhook.send(receiver.url).status_code


def _more_than(before: int, receiver: Served) -> int:
    """How many effects there are as soon as there are more than before."""
    end = steady_time() + 30
    while receiver.store.effects() <= before and steady_time() < end:
        threading.Event().wait(0.05)
    assert receiver.store.effects() > before, receiver.log()
    return receiver.store.effects()
