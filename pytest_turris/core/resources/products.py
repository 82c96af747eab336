"""Products: what is sold, in which states, and the license and appointment that it requires.

The page names the operation only (ProductResponse is not visible): the members on the wire are
assumed, and the requirements are not among them.
"""

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from pytest_turris.core.resources.appointments import DEFAULT_COMPANY_CODE
from pytest_turris.core.resources.collection import Collection, suggest_keywords
from pytest_turris.core.resources.record import Record
from pytest_turris.core.wire.model import ObjectId, StateCode, Timestamp


class Product(Record):
    """A product with its requirements.

    A license in the state must be of one of ``required_license_class_codes`` (empty: any) and
    have all of ``required_line_of_authority_codes``; an appointment by the carrier with
    ``required_company_code`` must be in force (None: no appointment is needed).
    """

    internal_fields: ClassVar[frozenset[str]] = frozenset(
        {
            "states",
            "required_license_class_codes",
            "required_line_of_authority_codes",
            "required_company_code",
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

    @property
    def key(self) -> str:
        """The ``productId``."""
        return self.id


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
    ) -> Product:
        """Add a product; by default it requires a license of class PC and an appointment.

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
        )
