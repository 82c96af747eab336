"""Products: what is sold, in which states, and the license and appointment that it requires.

The page names the operation only (ProductResponse is not visible): the members on the wire are
assumed, and the requirements are not among them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from pytest_turris.core.resources.appointments import DEFAULT_COMPANY_CODE
from pytest_turris.core.resources.collection import Collection
from pytest_turris.core.resources.members import suggest_keywords
from pytest_turris.core.resources.record import Record, WireModel
from pytest_turris.core.wire.model import ObjectId, StateCode, Timestamp


class StateRequirements(WireModel):
    """What differs in one state; a member without a value has that of the whole product."""

    license_class_codes: list[str] | None = None
    line_of_authority_codes: list[str] | None = None
    company_code: str | None = None
    agency_appointment: bool | None = None
    agent_appointment: bool | None = None


class Requirements(NamedTuple):
    """What a product requires in a state."""

    license_class_codes: list[str]
    line_of_authority_codes: list[str]
    company_code: str | None
    agency_appointment: bool
    agent_appointment: bool

    def is_appointment_required_of(self, holder: Literal["agent", "agency"]) -> bool:
        """Agencies and agents have switches of their own (help centre: products, compliance)."""
        return self.agent_appointment if holder == "agent" else self.agency_appointment


class Product(Record):
    """A product with its requirements, which are per product and state (help centre).

    A license in the state must be of one of ``required_license_class_codes`` (empty: any) and
    have all of ``required_line_of_authority_codes``; an appointment by the carrier with
    ``required_company_code`` must be in force (None: no appointment is needed), of agencies and
    agents alike unless it is switched off for them. ``state_requirements`` has what differs in a
    state. ``members`` are sent instead of the assumed ones, if there are any.
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "states",
            "required_license_class_codes",
            "required_line_of_authority_codes",
            "required_company_code",
            "agency_appointment_required",
            "agent_appointment_required",
            "state_requirements",
            "members",
        }
    )

    id: ObjectId = Field(alias="_id")
    name: str
    created_at: Timestamp
    updated_at: Timestamp
    states: list[StateCode]
    required_license_class_codes: list[str] = Field(default_factory=list)
    required_line_of_authority_codes: list[str] = Field(default_factory=list)
    required_company_code: str | None = None
    agency_appointment_required: bool = True
    agent_appointment_required: bool = True
    state_requirements: dict[StateCode, StateRequirements] = Field(default_factory=dict)
    members: dict[str, Any] = Field(default_factory=dict)

    @property
    def key(self) -> str:
        """The ``productId``."""
        return self.id

    def requirements_in(self, state: StateCode) -> Requirements:
        """What the product requires in a state."""
        whole = Requirements(
            self.required_license_class_codes,
            self.required_line_of_authority_codes,
            self.required_company_code,
            self.agency_appointment_required,
            self.agent_appointment_required,
        )
        own = self.state_requirements.get(state)
        if own is None:
            return whole
        return whole._replace(**{name: value for name, value in own if value is not None})

    @property
    def given_document(self) -> dict[str, Any]:
        """The members that a test gave, with the id."""
        return {"_id": self.id} | self.members if self.members else {}


class Products(Collection[Product]):
    """The products of the upstream entity."""

    kind = Product

    @suggest_keywords
    def add(
        self,
        *,
        name: str = "Property & Casualty",
        states: Iterable[str] = ("CA", "FL", "NY", "TX"),
        required_license_class_codes: Iterable[str] = ("PC",),
        required_line_of_authority_codes: Iterable[str] = (),
        required_company_code: str | None = DEFAULT_COMPANY_CODE,
        agency_appointment_required: bool = True,
        agent_appointment_required: bool = True,
        state_requirements: Mapping[str, StateRequirements | dict[str, Any]] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> Product:
        """Add a product; by default it requires a license of class PC and an appointment.

        Args:
            name: The product's name, as in compliance answers and webhooks.
            states: Where it is sold.
            required_license_class_codes: A license must be of one of these classes.
            required_line_of_authority_codes: A license must have all of these lines.
            required_company_code: The carrier whose appointment is needed, if any.
            agency_appointment_required: Whether agencies need that appointment.
            agent_appointment_required: Whether agents need it.
            state_requirements: What differs in a state, such as
                ``{"CA": {"agency_appointment": False}}``.
            members: What ``GET /v1/products/{productId}`` answers, by the names on the wire,
                instead of the assumed members.

        Raises:
            RecordError: A value does not fit, such as an unknown state.
        """
        now = self._clock.now()
        return self.make(
            id=self._randomness.object_id(),
            name=name,
            created_at=now,
            updated_at=now,
            states=list(states),
            required_license_class_codes=list(required_license_class_codes),
            required_line_of_authority_codes=list(required_line_of_authority_codes),
            required_company_code=required_company_code,
            agency_appointment_required=agency_appointment_required,
            agent_appointment_required=agent_appointment_required,
            state_requirements=dict(state_requirements or {}),
            members=dict(members or {}),
        )
