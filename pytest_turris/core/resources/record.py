"""What records are made of: frozen models, with members that the API never shows."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, get_args, get_origin

from pydantic import ConfigDict
from pydantic_core import to_json

from pytest_turris.core.errors import TurrisKitError
from pytest_turris.core.wire.messages import encode
from pytest_turris.core.wire.model import TurrisModel


class RecordError(TurrisKitError, ValueError):
    """A record is not valid: the message names each member that does not fit."""


class UnknownRecordError(TurrisKitError, KeyError):
    """There is no record, webhook or delivery with that id."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError would show the message in quotes


class WireModel(TurrisModel):
    """A model that the API answers with. It is frozen: records change through their collection.

    ``internal_fields`` names members that the API never shows, wherever the model is nested.
    ``not_relied_on`` names members that the sandbox sends, and that a client must not require:
    documented samples do without them. ``always_shown`` names members that a record can be
    without, and an answer cannot: the operation then shows a value that follows from others.
    """

    # A slot is not a field: pydantic neither compares, copies nor dumps it.
    __slots__ = ("_encoding",)

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)
    internal_fields: ClassVar[frozenset[str]] = frozenset()
    not_relied_on: ClassVar[frozenset[str]] = frozenset()
    always_shown: ClassVar[frozenset[str]] = frozenset()
    never_null: ClassVar[frozenset[str]] = frozenset()
    """Members that are left out even if the option ``optional_fields`` sends ``null``: no sample
    has them, or a page says that they are absent."""
    excluded: ClassVar[dict[str, Any]] = {}
    """The internal fields, those of nested models included, as pydantic's ``exclude``."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:  # noqa: ANN401 - pydantic's own
        """Collect the internal fields of this model and of the models in it."""
        cls.excluded = dict.fromkeys(cls.internal_fields, True)
        for name, field in cls.model_fields.items():
            model, listed = _model_in(field.annotation)
            if model is not None and model.excluded and name not in cls.excluded:
                cls.excluded[name] = {"__all__": model.excluded} if listed else model.excluded

    @property
    def given_document(self) -> dict[str, Any]:
        """What a test wants to be sent in place of the members; empty if it wants nothing else."""
        return {}

    def wire(self, *, nulls: bool = False) -> dict[str, Any]:
        """The JSON object that Turris sends; optional members omitted, or ``null``."""
        if given := self.given_document:
            return given
        document = self.model_dump(
            mode="json", by_alias=True, exclude_none=not nulls, exclude=self.excluded
        )
        if nulls:
            _leave_out(self, document)
        return document

    def encoded(self, *, nulls: bool = False) -> bytes:
        """``wire`` as JSON. It is kept until the record changes: lists are asked for often."""
        kept = _kept_encoding(self)
        if kept is None or kept[0] != nulls:
            kept = nulls, _encoded(self, nulls=nulls)
            object.__setattr__(self, "_encoding", kept)
        return kept[1]

    def become(self, changes: Mapping[str, Any]) -> None:
        """Change the frozen record in place: a caller that holds it sees the change."""
        vars(self).update(changes)
        object.__setattr__(self, "_encoding", None)


class Record(WireModel):
    """A model with an identity."""

    @property
    @abstractmethod
    def key(self) -> str:
        """The id under which its collection keeps it."""


_slot: Any = vars(WireModel)["_encoding"]


def _kept_encoding(model: WireModel) -> tuple[bool, bytes] | None:
    """The JSON that a model keeps; ``getattr`` takes three times as long where it keeps none."""
    try:
        kept: tuple[bool, bytes] | None = _slot.__get__(model)
    except AttributeError:
        return None
    return kept


def _encoded(model: WireModel, *, nulls: bool) -> bytes:
    """``wire`` as JSON, without a dict in between where none is needed."""
    if nulls or model.given_document:
        return encode(model.wire(nulls=nulls))
    return to_json(model, by_alias=True, exclude_none=True, exclude=model.excluded)


def _leave_out(model: WireModel, document: dict[str, Any]) -> None:
    """Remove the members that are never ``null`` from a document and the objects in it."""
    for name, field in type(model).model_fields.items():
        shown = field.alias or name
        if shown not in document:
            continue
        if document[shown] is None and name in model.never_null:
            del document[shown]
            continue
        value = getattr(model, name)
        parts = value if isinstance(value, list) else [value]
        documents = document[shown] if isinstance(value, list) else [document[shown]]
        for part, inner in zip(parts, documents, strict=True):
            if isinstance(part, WireModel):
                _leave_out(part, inner)


def _model_in(hint: object) -> tuple[type[WireModel] | None, bool]:
    """The model in a member's type, and whether the member is a list of it."""
    if isinstance(hint, type) and issubclass(hint, WireModel):
        return hint, False
    for inner in get_args(hint):
        model, listed = _model_in(inner)
        if model is not None:
            return model, listed or get_origin(hint) is list
    return None, False
