"""List the licence of every package that this one and its extras bring: ``make licences``."""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, metadata, requires

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"extra == ['\"]([\w-]+)['\"]")


def licence(package: Distribution) -> str:
    """What the package's metadata says: an expression, classifiers, or the field of old."""
    found = package.metadata
    named = [line.rpartition(" :: ")[2] for line in found.get_all("Classifier") or ()
             if line.startswith("License ::")]  # fmt: skip
    old = (found.get("License") or "").partition("\n")[0]
    return found.get("License-Expression") or ", ".join(named) or old or "unknown"


def installed_with(name: str) -> dict[str, Distribution]:
    """The packages that are installed for this one and its extras, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(name, tuple(metadata(name).get_all("Provides-Extra") or ()))]
    while waiting:
        package, extras = waiting.pop()
        for line in requires(package) or ():
            extra = _EXTRA.search(line)
            match = _NAME.match(line)
            wanted = match and (extra is None or extra[1] in extras)
            name = match[0].lower().replace("_", "-") if match else ""
            if match and wanted and name not in found:
                try:
                    found[name] = distribution(match[0])
                except PackageNotFoundError:  # for another system or version of Python
                    continue
                waiting.append((match[0], ()))
    return found


if __name__ == "__main__":
    for name, package in sorted(installed_with("pytest-turris").items()):
        sys.stdout.write(f"{name} {package.version}: {licence(package)}\n")
