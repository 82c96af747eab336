"""``turris-sandbox``: runs our ``mock_server``, whatever else has that name.

Users have files called ``mock_server.py``, and ``PYTHONPATH`` or the working directory may put them
first. So the package next to this one is imported from where it is, and not by the path.
"""

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Run the command line."""
    home = str(Path(__file__).parents[2])
    sys.path.insert(0, home)
    try:
        import_module("mock_server")  # so that its modules are found through it
    finally:
        sys.path.remove(home)
    import_module("mock_server.__main__").main()
