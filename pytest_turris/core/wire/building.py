"""When pydantic builds the validators of models: at their import, or each when it is first used.

At import is right in a test process. Building takes the types of ``datetime`` as it finds them, and
under a freeze of the time it finds others. A server has no freeze, and must answer soon after its
start, so ``turris-sandbox serve`` defers it.
"""

from typing import ClassVar

import pydantic.main


class ModelBuilding:
    """The setting that the models of this process read when they are imported."""

    is_deferred: ClassVar[bool] = False
    """Whether a model is built when it is first used."""

    @classmethod
    def defer(cls) -> None:
        """Defer it for all models that are imported from now on.

        Two threads may use a model for the first time at once. Versions of pydantic without a lock
        against that still build at import.
        """
        cls.is_deferred = hasattr(pydantic.main, "_rebuild_lock")
