"""How faithful the sandbox is: every behaviour, how it is known, and the option that changes it.

*documented*: a page says so. *derived*: it follows from a documented value. *assumed*: it has not
been seen outside Turris. *disputed*: the pages disagree. An assumed or disputed behaviour that can
change what a consumer's test says has an option, or its row says why none makes sense.
"""

from pytest_turris.core.unknowns.convention_rows import CONVENTION_ROWS
from pytest_turris.core.unknowns.policy_rows import POLICY_ROWS
from pytest_turris.core.unknowns.record_rows import RECORD_ROWS
from pytest_turris.core.unknowns.rows import Behaviour
from pytest_turris.core.unknowns.webhook_rows import WEBHOOK_ROWS

FIDELITY: tuple[Behaviour, ...] = (*CONVENTION_ROWS, *RECORD_ROWS, *POLICY_ROWS, *WEBHOOK_ROWS)
"""Every behaviour that a client can see, in the order of the docs page."""


def counted_rows() -> dict[str, int]:
    """How many rows are documented, derived, and assumed or disputed with and without an option."""
    open_rows = [one for one in FIDELITY if one.provenance in ("assumed", "disputed")]
    return {
        "documented": sum(one.provenance == "documented" for one in FIDELITY),
        "derived": sum(one.provenance == "derived" for one in FIDELITY),
        "assumed with an option": sum(bool(one.options) for one in open_rows),
        "assumed without an option": sum(not one.options for one in open_rows),
    }
