"""The whole catalogue: every hostile webhook, in the order of the docs."""

from typing import Literal

from pytest_turris.attacks.attack import Attack
from pytest_turris.attacks.families.aftermath import POLLUTION, REMEMBERED
from pytest_turris.attacks.families.body import BODY
from pytest_turris.attacks.families.body_sizes import BODY_SIZES
from pytest_turris.attacks.families.disclosure import DISCLOSURE
from pytest_turris.attacks.families.events import EVENT_SHAPES
from pytest_turris.attacks.families.every_type import EVERY_TYPE
from pytest_turris.attacks.families.failing_work import FAILING_WORK
from pytest_turris.attacks.families.foreign_protocols import CHOSEN_KEYS, FOREIGN_PROTOCOLS
from pytest_turris.attacks.families.header_names import HEADER_NAMES
from pytest_turris.attacks.families.held_up import HELD_UP
from pytest_turris.attacks.families.identity import IDENTITY
from pytest_turris.attacks.families.injection import INJECTION
from pytest_turris.attacks.families.keys import KEYS
from pytest_turris.attacks.families.large_batches import LARGE_BATCHES
from pytest_turris.attacks.families.payload import PAYLOAD
from pytest_turris.attacks.families.replay import REPLAY
from pytest_turris.attacks.families.request_line import REQUEST_LINE
from pytest_turris.attacks.families.requests_made import REQUESTS_MADE
from pytest_turris.attacks.families.signature import SIGNATURE
from pytest_turris.attacks.families.signature_encodings import SIGNATURE_ENCODINGS
from pytest_turris.attacks.families.signature_headers import SIGNATURE_HEADERS
from pytest_turris.attacks.families.switches import SWITCHES
from pytest_turris.attacks.families.tenants import TENANTS
from pytest_turris.attacks.families.transport import TRANSPORT
from pytest_turris.attacks.families.unverified_bytes import UNVERIFIED_BYTES
from pytest_turris.core.errors import UnknownNameError
from pytest_turris.core.text.names import did_you_mean

Profile = Literal["quick", "full"]

ATTACKS: tuple[Attack, ...] = tuple(
    sorted(
        (
            attack
            for family in (
                SIGNATURE,
                SIGNATURE_ENCODINGS,
                SIGNATURE_HEADERS,
                KEYS,
                BODY,
                BODY_SIZES,
                PAYLOAD,
                REPLAY,
                TRANSPORT,
                EVENT_SHAPES,
                POLLUTION,
                REMEMBERED,
                DISCLOSURE,
                EVERY_TYPE,
                HEADER_NAMES,
                CHOSEN_KEYS,
                FAILING_WORK,
                FOREIGN_PROTOCOLS,
                HELD_UP,
                IDENTITY,
                INJECTION,
                LARGE_BATCHES,
                REQUEST_LINE,
                REQUESTS_MADE,
                SWITCHES,
                TENANTS,
                UNVERIFIED_BYTES,
            )
            for attack in family.attacks
        ),
        key=lambda attack: int(attack.id.partition("-")[2]),
    )
)
"""Every attack by its number; none was ever given to another."""

_BY_ID = {attack.id: attack for attack in ATTACKS}


def profile(name: Profile) -> tuple[Attack, ...]:
    """The attacks for every run (``quick``), or all of them (``full``)."""
    return ATTACKS if name == "full" else tuple(attack for attack in ATTACKS if attack.quick)


def find_attack(id_: str) -> Attack:
    """The attack with an id such as ``WH-05``.

    Raises:
        UnknownNameError: There is none; the message names the nearest.
    """
    if id_ not in _BY_ID:
        raise UnknownNameError(f"there is no attack {id_!r}{did_you_mean(id_, _BY_ID)}")
    return _BY_ID[id_]
