"""The catalogue as it stands in the docs: a page for each family."""

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.catalogue import ATTACKS


def pages() -> dict[str, str]:
    """Each family with a section for each of its attacks, in Markdown."""
    families = dict.fromkeys(attack.family for attack in ATTACKS)
    return {
        family: "\n".join(_section(attack) for attack in ATTACKS if attack.family == family)
        for family in families
    }


def _section(attack: Attack) -> str:
    profile = "quick and full" if attack.quick else "full"
    return (
        f"## {attack.label}\n\n"
        f"{attack.does}\n\n"
        f"- A receiver must: {attack.wants[0].lower()}{attack.wants[1:]}\n"
        f"- Otherwise: {attack.why}\n"
        f"- Fix: {attack.fix}\n"
        f"- Level `{attack.level}`, profile {profile}, delivered {attack.delivery}. "
        f"Source: {attack.source}.\n"
    )
