"""Scans files: each check looks at each file; allowed findings are left out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_turris.audit.check import AuditCheck
from pytest_turris.audit.declarations import Allowed
from pytest_turris.audit.evidence import Evidence, Spotted
from pytest_turris.audit.places import Place
from pytest_turris.audit.scans.checks import SCANS
from pytest_turris.audit.scans.credentials import OwnCredentials
from pytest_turris.audit.scans.files import ScannedFile, ScannedFiles
from pytest_turris.audit.scans.hit import Hit
from pytest_turris.audit.scans.names import public_names
from pytest_turris.audit.scans.other_secrets import is_installed, is_readable, other_secrets
from pytest_turris.audit.scans.source_maps import may_have_map, published_sources
from pytest_turris.findings.verdict import Finding

_MOST = 500
_CHECKS = {check.id: check for check in SCANS}
_NOTHING = {
    "FE-01": "no credential",
    "FE-02": "no secret in a public name",
    "FE-03": "no sources in what is published",
    "FE-04": "no secret",
}
_EXTRA = "FE-04 did not run: it needs detect-secrets, which comes with 'pytest-turris[audit]'"


@dataclass(kw_only=True, slots=True)
class ScanResult:
    """What a scan showed.

    Args:
        evidence: What was found, and how many files each check has looked at.
        problems: What was not scanned, in sentences.
        allowed: How many hits each entry of the allowlist has taken.
    """

    evidence: Evidence
    problems: list[str]
    allowed: dict[Allowed, int] = field(default_factory=dict)


def scan(
    paths: Iterable[Path],
    *,
    base: Path,
    allowed: Iterable[Allowed],
    environment: Mapping[str, str],
) -> ScanResult:
    """Scan files and directories; nothing is sent anywhere.

    Args:
        paths: What to scan.
        base: Paths in the report are relative to this directory.
        allowed: What may be there, with reasons.
        environment: Credentials of Turris in it are looked for.
    """
    files = ScannedFiles(paths, base)
    result = ScanResult(
        evidence=Evidence(test=""), problems=files.problems, allowed=dict.fromkeys(allowed, 0)
    )
    looks = _looks(environment)
    if "FE-04" not in looks:
        result.problems.append(_EXTRA)
    for file in files:
        for id_, (applies, find) in looks.items():
            if applies(file):
                spotted = _spotted(_CHECKS[id_], file, find(file))
                result.evidence.note(id_, 1, _not_allowed(spotted, result.allowed))
    del result.evidence.spotted[_MOST:]
    return result


_Look = tuple[Callable[[ScannedFile], bool], Callable[[ScannedFile], Iterable[Hit]]]


def _looks(environment: Mapping[str, str]) -> dict[str, _Look]:
    looks: dict[str, _Look] = {
        "FE-01": (lambda _: True, OwnCredentials(environment)),
        "FE-02": (lambda file: file.is_text, public_names),
        "FE-03": (may_have_map, published_sources),
    }
    if is_installed():
        looks["FE-04"] = (is_readable, other_secrets)
    return looks


def _spotted(check: AuditCheck, file: ScannedFile, hits: Iterable[Hit]) -> Iterator[Spotted]:
    count: dict[str, int] = {}
    lines = dict.fromkeys((hit.what, file.line_at(hit.offset), hit.level) for hit in hits)
    for what, line, level in lines:
        # A number, so that a line that moves stays the same finding.
        count[what] = count.get(what, 0) + 1
        finding = Finding(
            level=level or check.level,
            sent="",
            got=what,
            expected=_NOTHING[check.id],
            kind=what if count[what] == 1 else f"{what} ({count[what]})",
            why=check.why,
            fix=check.fix,
        )
        yield Spotted(check=check.id, finding=finding, place=Place(path=file.shown, line=line))


def _not_allowed(found: Iterable[Spotted], allowed: dict[Allowed, int]) -> Iterator[Spotted]:
    for spotted in found:
        entry = next((one for one in allowed if one.covers(spotted)), None)
        if entry is None:
            yield spotted
        else:
            allowed[entry] += 1
