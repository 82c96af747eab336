"""All designs, imported."""

import importlib
import pkgutil

from strangers.clients import broken, correct
from strangers.clients.design import BROKEN, CORRECT

for _package in (correct, broken):
    for _module in pkgutil.iter_modules(_package.__path__, f"{_package.__name__}."):
        importlib.import_module(_module.name)

__all__ = ["BROKEN", "CORRECT"]
