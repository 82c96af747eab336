"""All rules for token clients, in the order of their ids."""

from pytest_turris.conformance.probes.answers import ODD_ANSWERS
from pytest_turris.conformance.probes.caching import CACHING
from pytest_turris.conformance.probes.clocks import CLOCKS
from pytest_turris.conformance.probes.configuration import CONFIGURATION
from pytest_turris.conformance.probes.coroutines import COROUTINES
from pytest_turris.conformance.probes.credentials import CREDENTIALS
from pytest_turris.conformance.probes.expiry import EXPIRY
from pytest_turris.conformance.probes.idempotency_keys import IDEMPOTENCY_KEYS
from pytest_turris.conformance.probes.leaking import LEAKING
from pytest_turris.conformance.probes.processes import PROCESSES
from pytest_turris.conformance.probes.proxies import PROXIES
from pytest_turris.conformance.probes.redirects import REDIRECTS
from pytest_turris.conformance.probes.refusals import REFUSALS
from pytest_turris.conformance.probes.renewals import RENEWALS
from pytest_turris.conformance.probes.retries import RETRIES
from pytest_turris.conformance.probes.stores import STORES
from pytest_turris.conformance.probes.tenants import TENANT_RULES
from pytest_turris.conformance.probes.writing import WRITING
from pytest_turris.conformance.rule import Rule

_FAMILIES = (
    ODD_ANSWERS, CACHING, CLOCKS, CONFIGURATION, COROUTINES, CREDENTIALS, EXPIRY, IDEMPOTENCY_KEYS,
    LEAKING, PROCESSES, PROXIES, REDIRECTS, REFUSALS, RENEWALS, RETRIES, STORES, TENANT_RULES,
    WRITING,
)  # fmt: skip

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in sorted(
        (rule for family in _FAMILIES for rule in family.rules), key=lambda rule: rule.id
    )
}
"""All rules by id."""
