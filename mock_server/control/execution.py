"""Executes a control: the one way in which anything changes a sandbox from outside."""

from collections.abc import Mapping
from typing import Any

from mock_server.control.control import Control, ControlCall
from mock_server.control.models import Parameters
from mock_server.control.wire.documents import validated
from mock_server.control.wire.errors import ControlError, unknown_outcome, without
from mock_server.control.wire.wording import in_commands
from mock_server.serving.delivery_worker import SERVE_ALLOWS
from mock_server.store.errors import StoreError, TenantGoneError
from pytest_turris.core.clock import ClockError
from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.middleware.limits import RateWindowError
from pytest_turris.core.resources.record import UnknownRecordError
from pytest_turris.receivers.egress import EgressRefused, for_command
from pytest_turris.webhooks.engine import DeliveryError

_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UnknownRecordError, 404),
    (EgressRefused, 403),
    (ClockError, 409),
    (RateWindowError, 409),
    (DeliveryError, 409),
)


def execute(control: Control, call: ControlCall, document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the control's result
    """Validate the members of a JSON document, and do what they ask for.

    Args:
        control: The row.
        call: What it acts on.
        document: The parameters, by their names in JSON.

    Raises:
        ControlError: Something is wrong with them, and the state is as before; or the store
            failed, and the outcome is unknown.
    """
    return run_control(control, call, validated(control, document))


def run_control(control: Control, call: ControlCall, given: Parameters) -> Any:  # noqa: ANN401 - as above
    """Do what validated parameters ask for, as a whole or not at all.

    Raises:
        ControlError: It cannot be done, and the state is as before; or the store failed, and the
            outcome is unknown.
    """
    if control.changes:
        call.tenant.audit.step()
    try:
        if control.is_unlocked:  # a receiver may call the sandbox meanwhile
            return _translated(control, call, given)
        return _as_one_step(control, call, given)
    except TenantGoneError as error:
        call.tenants.forget(call.tenant.name)
        raise ControlError(404, str(error)) from error
    except StoreError as error:
        raise unknown_outcome(error) from error


def _as_one_step(control: Control, call: ControlCall, given: Parameters) -> Any:  # noqa: ANN401 - as above
    sandbox = call.tenant.sandbox
    with call.tenant.step(control.name):
        sandbox.settle()
        with sandbox.randomness.taken_back_on_error():
            return _translated(control, call, given)


def _translated(control: Control, call: ControlCall, given: Parameters) -> Any:  # noqa: ANN401 - as above
    try:
        return control.run(call, given)
    except TurrisKitError as error:
        statuses = (status for kind, status in _STATUSES if isinstance(error, kind))
        words = in_commands(for_command(error, SERVE_ALLOWS))
        words = without(words, given.model_dump(exclude_unset=True))
        raise ControlError(next(statuses, 400), words) from error
