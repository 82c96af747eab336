"""The attacks: a page for each family, and a table of what each one catches."""

import json
from dataclasses import replace
from pathlib import Path

from mock_server.explaining.checks import explained
from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import ATTACKS

FAMILIES = tuple(dict.fromkeys(attack.family for attack in ATTACKS))

_RECORD = Path(__file__).parents[2] / "tests" / "attacks" / "mutations.json"


def family(name: str) -> str:
    """A section for each attack of a family."""
    return "\n".join(_section(attack) for attack in ATTACKS if attack.family == name)


def mutations() -> str:
    """Each attack's verdict on the receiver that is broken for it, and on a good one.

    The record is that of a run of the test suite: ``make mutations``.
    """
    lines = ["| Attack | Sent | The receiver that it catches | By | A good receiver |"]
    lines += ["|---|---|---|---|---|"]
    attacks = {attack.id: attack for attack in ATTACKS}
    for row, found in json.loads(_RECORD.read_text()).items():
        id_, _, sent = row.partition(" ")
        attack, broken, good = attacks[id_], found["broken"], found["good"]
        link = f"[{attack.label}]({attack.family}.md#{attack.label.lower()})"
        caught = f"{broken['outcome']}: {', '.join(broken['oracles'])}"
        lines.append(f"| {link} | {sent} | {broken['receiver']} | {caught} | {good['outcome']} |")
    return "\n".join(lines) + "\n"


def _section(attack: Attack) -> str:
    profile = "quick and full" if attack.quick else "full"
    found = explained(attack)
    parts = found.parts | {"Profile": profile, "Delivered": attack.delivery}
    return replace(found, parts=parts).as_markdown(attack.label)
