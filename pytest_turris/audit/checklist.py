"""The checklist: each bullet of the vendor's security page, and each line of its checklist.

The page is docs.turrisfi.com/guides/security. A test compares the entries with its bullets.
"""

from dataclasses import dataclass
from typing import Literal

from pytest_turris.conformance.errors import EXPIRED_TOKEN
from pytest_turris.core.text.docs_links import page

Kind = Literal["provable", "heuristic", "process"]
"""What a test can say about a line.

- ``provable``: a check that could have failed, ran and held.
- ``heuristic``: a check can find a violation; finding none does not prove the line.
- ``process``: only people can say it; see ``turris-audit.toml``.
"""

PAGE = "https://docs.turrisfi.com/guides/security"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChecklistLine:
    """One line of the vendor's page.

    Args:
        id: Stable, never used for anything else.
        section: The heading on the page.
        words: The advice, in few words.
        kind: What a test can say about it.
        proofs: The line holds if, of each group, at least one check ran and held.
        others: Further checks that can break the line; they prove nothing alone.
        kinds: Findings that break the line, whatever check they are of.
        next_step: What would prove it: a line to paste.
        beyond: What no test shows about it.
        repeats: The lines that it repeats; it holds as far as they do.
    """

    id: str
    section: str
    words: str
    kind: Kind
    proofs: tuple[tuple[str, ...], ...] = ()
    others: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    next_step: str = ""
    beyond: str = ""
    repeats: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[str, ...]:
        """All checks that can prove or break it, without repetition."""
        proving = (check for group in self.proofs for check in group)
        return tuple(dict.fromkeys((*proving, *self.others)))

    @property
    def help_uri(self) -> str:
        """The line on the page about the audit."""
        return page("reference/audit-checks", self.id.lower())


def _ids(kind: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{kind}-{number:02d}" for number in numbers)


def _attest(line: str) -> str:
    return f'[[attested]] line = "{line}" in turris-audit.toml, with statement, owner and dates'


_RULES = "def test_conforms(turris_token_case): turris_token_case.run(lambda: client.agents())"
_HOSTILE = _RULES.replace("conforms", "copes").replace("token_case", "hostile_answer")
_ATTACKS = 'def test_withstands(turris_webhook_attack): turris_webhook_attack.run(app, "/webhooks")'
_DELIVERY = 'turris_webhooks.producer_agreement_executed().send(app, "/webhooks")'
_ANY = "pytest --turris-audit  # any test that calls Turris with the fixture turris"
_LATE = "turris_time.to_refresh_point(plus=timedelta(milliseconds=1)); client.agents()"
_LOG = 'logger = "myapp.audit" below [log] in turris-audit.toml'

_SCAN = '[scan] path = "frontend/dist" in turris-audit.toml, or turris-sandbox scan frontend/dist'

_LEAKS = ("LK-01", "LK-02", "LK-03", "LK-04", "LK-05", "LK-07", "LK-08", "LK-09")
"""The places besides files in which a token may appear."""

_ELSEWHERE = ("RQ-03", "RQ-13", *_ids("TC", 20, 21, 35, 36, 37, 56, 59, 65))
"""A token that another host gets, or that is not the caller's own."""

_CREDENTIALS = "Credential Protection"
_TOKENS = "Token Management"
_REQUESTS = "Request Security"
_ACCESS = "Access Control"
_DATA = "Data Protection"
_NETWORK = "Network Security"
_CHECKLIST = "Checklist"

_LINES = (
    ChecklistLine(
        id="SEC-01", section=_CREDENTIALS, kind="heuristic",
        words="No clientId or clientSecret in frontend code",
        proofs=(("FE-01",),), others=("FE-02", "FE-03"), next_step=_SCAN,
    ),
    ChecklistLine(
        id="SEC-02", section=_CREDENTIALS, kind="heuristic",
        words="Credentials come from the environment or a secrets manager",
        proofs=(("TC-30",),), others=("TC-31", "FE-04"), next_step=_RULES,
    ),
    ChecklistLine(
        id="SEC-03", section=_CREDENTIALS, kind="provable",
        words="Credentials are rotated periodically",
        proofs=(("TC-24", "DR-1"),), others=_ids("WH", 60, 61, 62, 63, 64),
        next_step="turris_audit.rotation_drill(lambda: client.agents(), new_client=make_client)",
        beyond="That the application survives a rotation is tested; that people rotate is not.",
    ),
    ChecklistLine(
        id="SEC-04", section=_CREDENTIALS, kind="provable",
        words="Sandbox and production have separate credentials",
        proofs=(("RQ-12", "TC-32", "TC-57"),), others=("TC-33", "WH-43"), next_step=_ANY,
    ),
    ChecklistLine(
        id="SEC-05", section=_TOKENS, kind="heuristic",
        words="Tokens are stored securely",
        proofs=(("LK-06", "TC-29"),),
        others=("TC-28", "TC-63", "TC-70", *_LEAKS, *_ELSEWHERE), next_step=_RULES,
    ),
    ChecklistLine(
        id="SEC-06", section=_TOKENS, kind="provable",
        words="The expiry of tokens is handled",
        proofs=(("RQ-07", "TC-06"),),
        others=_ids("TC", 7, 8, 9, 10, 11, 12, 22, 41, 42, 58, 64), kinds=(EXPIRED_TOKEN,),
        next_step=_LATE,
    ),
    ChecklistLine(
        id="SEC-07", section=_TOKENS, kind="provable",
        words="Tokens are never URL parameters",
        proofs=(("RQ-01", "TC-16"),), others=("RQ-02", "TC-45"), next_step=_ANY,
    ),
    ChecklistLine(
        id="SEC-08", section=_TOKENS, kind="provable",
        words="Tokens are cached, so that few are requested",
        proofs=(("RQ-05", "TC-01"),), others=_ids("TC", 2, 3, 4, 44, 69),
        next_step="client.agents(); client.agents(); turris.assert_token_requests(1)",
    ),
    ChecklistLine(
        id="SEC-09", section=_TOKENS, kind="provable",
        words="A token is replaced once it is older than its lifetime less the buffer",
        proofs=(("RQ-06", "TC-05"),), others=("RQ-07", "TC-06"), next_step=_LATE,
    ),
    ChecklistLine(
        id="SEC-10", section=_REQUESTS, kind="provable",
        words="HTTPS for all API calls",
        proofs=(("RQ-04", "TC-17"),), others=("TC-18", "TC-19", "AR-36", "WH-99"),
        next_step=_ANY,
    ),
    ChecklistLine(
        id="SEC-11", section=_REQUESTS, kind="heuristic",
        words="All input is validated and sanitised",
        proofs=((*_ids("WH", 70, 71, 72, 73, 74, 75, 76, 77, 78, 79),
                 *_ids("AR", 2, 3, 5, 6, 7, 8)),),
        others=(*_ids("WH", *range(66, 70), *range(84, 96), 97, *range(100, 112)),
                *_ids("WH", *range(128, 144), 152, 154, 155, 157, 158),
                *_ids("AR", 1, 4, 9, 10, 15, 34, 35, 37, 38), "TC-26", "TC-27"),
        next_step=_ATTACKS,
    ),
    ChecklistLine(
        id="SEC-12", section=_REQUESTS, kind="provable",
        words="Errors are handled",
        proofs=(("RQ-08", *_ids("AR", 12, 17, 18), *_ids("TC", 13, 14, 23)),),
        others=(*_ids("AR", 11, 13, 14, 16, 19, 20, 21, 22, 23, 33), "RQ-10", "RQ-11",
                *_ids("TC", 15, 25, 34, 38, 39, 43, *range(46, 54), 60, 61, 62, 66, 67, 68)),
        next_step=_HOSTILE,
    ),
    ChecklistLine(
        id="SEC-13", section=_REQUESTS, kind="provable",
        words="The signatures of webhooks are verified",
        proofs=(("VW-1", *_ids("WH", 5, 50)),),
        others=(*_ids("WH", *range(1, 5), *range(6, 39), *range(40, 50), *range(51, 60), 65, 82),
                *_ids("WH", 96, 98, *range(112, 128), *range(141, 152), 153, 156)),
        next_step=f"{_DELIVERY}, with --turris-verify-webhooks",
    ),
    ChecklistLine(
        id="SEC-14", section=_ACCESS, kind="process",
        words="Only those who need credentials have them", next_step=_attest("SEC-14"),
    ),
    ChecklistLine(
        id="SEC-15", section=_ACCESS, kind="heuristic",
        words="Least privilege", proofs=(("RQ-16",),), next_step=_ANY,
        beyond="Which permissions the production key has, only Turris' settings show.",
    ),
    ChecklistLine(
        id="SEC-16", section=_ACCESS, kind="provable",
        words="API usage is monitored and audited",
        proofs=(("AU-1",),), others=("AU-2", "RQ-19"), next_step=_LOG,
        beyond="That a record is written is tested; that it is read is not.",
    ),
    ChecklistLine(
        id="SEC-17", section=_ACCESS, kind="provable",
        words="Credentials are revoked when a member of the team leaves",
        proofs=(("TC-23", "DR-2"),), others=("TC-22",),
        next_step="turris_audit.revocation_drill(lambda: client.agents())",
        beyond="That a revoked key stops the application cleanly is tested; that it is revoked "
        "in time is not.",
    ),
    ChecklistLine(
        id="SEC-18", section=_DATA, kind="heuristic",
        words="Little sensitive data is transmitted",
        proofs=(("RQ-14",),), others=("RQ-18", "AU-4", "TC-54", "TC-55"),
        next_step="pytest --turris-audit  # a test that sends data: client.invite(...)",
    ),
    ChecklistLine(
        id="SEC-19", section=_DATA, kind="process",
        words="Data is kept no longer than the policy says", next_step=_attest("SEC-19"),
    ),
    ChecklistLine(
        id="SEC-20", section=_DATA, kind="process",
        words="Sensitive data is handled as regulation requires", next_step=_attest("SEC-20"),
    ),
    ChecklistLine(
        id="SEC-21", section=_DATA, kind="process",
        words="Credentials are shared over secure channels", next_step=_attest("SEC-21"),
    ),
    ChecklistLine(
        id="SEC-22", section=_NETWORK, kind="process",
        words="API servers have an IP allowlist", others=_ids("WH", 80, 81, 82, 83),
        next_step=_attest("SEC-22"),
    ),
    ChecklistLine(
        id="SEC-23", section=_NETWORK, kind="provable",
        words="The application limits its own rate",
        proofs=(("TC-40",),),
        others=("RQ-09", *_ids("AR", *range(24, 33)), "TC-42", "TC-62"),
        next_step=_RULES.replace("())", "(), write=lambda: client.add_agent(...))", 1),
    ),
    ChecklistLine(
        id="SEC-24", section=_NETWORK, kind="provable",
        words="All API requests are logged for audits",
        proofs=(("AU-1",),), others=("AU-2", "AU-3", "AU-4"), next_step=_LOG,
    ),
    ChecklistLine(
        id="SEC-31", section=_CHECKLIST, kind="heuristic",
        words="Credentials in environment variables or a secrets manager", repeats=("SEC-02",),
    ),
    ChecklistLine(
        id="SEC-32", section=_CHECKLIST, kind="heuristic",
        words="No secrets in frontend code", repeats=("SEC-01",),
    ),
    ChecklistLine(
        id="SEC-33", section=_CHECKLIST, kind="provable",
        words="HTTPS for all API calls", repeats=("SEC-10",),
    ),
    ChecklistLine(
        id="SEC-34", section=_CHECKLIST, kind="provable",
        words="Tokens are refreshed before they expire", repeats=("SEC-09", "SEC-06"),
    ),
    ChecklistLine(
        id="SEC-35", section=_CHECKLIST, kind="provable",
        words="Webhook signatures are verified", repeats=("SEC-13",),
    ),
    ChecklistLine(
        id="SEC-36", section=_CHECKLIST, kind="provable",
        words="API usage is logged and monitored", repeats=("SEC-16", "SEC-24"),
    ),
    ChecklistLine(
        id="SEC-37", section=_CHECKLIST, kind="provable",
        words="Credentials are rotated periodically", repeats=("SEC-03",),
    ),
)  # fmt: skip

CHECKLIST: dict[str, ChecklistLine] = {line.id: line for line in _LINES}
"""All lines by id, in the order of the page."""
