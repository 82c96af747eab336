"""Draw the picture of the README: what a run prints, as the tutorial shows it.

``make docs`` writes it. The tutorial's output is that of a run, which a test compares.
"""

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

DOCS = Path(__file__).parent
FILE = DOCS / "a-run.svg"
TUTORIAL = DOCS / "tutorial" / "first-integration.md"

_COMMAND = "$ pytest -q --tb=short test_sweep.py -k TC-06\n"
_LABELS = re.compile(r"(?m)^E +(?:check|sent|got|expected|why|fix|note|more|explain|ignore):")
_FONTS = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)
_THEME = TerminalTheme(
    (24, 26, 31), (214, 217, 224),
    [(24, 26, 31), (240, 113, 120), (120, 200, 130), (230, 190, 110), (110, 170, 240),
     (200, 150, 230), (110, 200, 210), (214, 217, 224)],
)  # fmt: skip


def drawing() -> str:
    """The picture: a failure of the sweep, without fonts from elsewhere."""
    shown = _COMMAND + TUTORIAL.read_text().partition(_COMMAND)[2].partition("\n...\n")[0]
    text = Text(shown)
    text.highlight_regex(r"^\$ .*", "bold")
    text.highlight_regex(r"CheckFailedError.*|^E .*-> 401$|^F\b", "red")
    text.highlight_regex(_LABELS, "cyan")
    console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True)
    console.print(text)
    svg = console.export_svg(title="pytest", theme=_THEME, unique_id="run")
    return _FONTS.sub("\n", svg)


if __name__ == "__main__":
    FILE.write_text(drawing())
