"""Makes ``turris-sandbox serve`` answer soon after its start.

The imports make a hundred thousand objects that stay. Collecting garbage among them finds none, and
building each model that some request may need takes longer than the rest of the start.
"""

import gc


def begin() -> None:
    """Collect no garbage, and build no model that is not used; before the other imports."""
    gc.disable()
    from pytest_turris.core.wire.building import ModelBuilding  # noqa: PLC0415 - it imports pydantic

    ModelBuilding.defer()


def finish() -> None:
    """Collect garbage as usual, but not among the present objects; called once the server listens.

    In a process that did not begin so, nothing changes.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
