"""How serious a check's finding is, in the words of RFC 2119."""

from typing import Literal

Level = Literal["must", "should", "info"]
