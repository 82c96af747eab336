"""Draws the life of a token with its boundary points, for light and dark pages."""

from pathlib import Path

from pytest_turris.core.options import Options

HERE = Path(__file__).parent / "how-to"
THEMES = {
    "light": {"ink": "#1f2328", "good": "#1a7f37", "due": "#9a6700", "dead": "#cf222e"},
    "dark": {"ink": "#e6edf3", "good": "#3fb950", "due": "#d29922", "dead": "#f85149"},
}
LEFT, RIGHT, LINE = 40, 840, 90


def drawings() -> dict[Path, str]:
    """Returns the complete text of each file by its path."""
    return {HERE / f"token-timeline-{name}.svg": _svg(colours) for name, colours in THEMES.items()}


def _svg(colours: dict[str, str]) -> str:
    options = Options()
    ttl, due = options.token_ttl, options.token_ttl - options.refresh_buffer
    # Not to scale: the five minutes of the buffer are where everything happens.
    at_due, at_end = LEFT + 380, LEFT + 640
    minutes = [int(moment.total_seconds() // 60) for moment in (due, ttl)]
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 210" role="img"',
        f' font-family="system-ui, sans-serif" font-size="14" fill="{colours["ink"]}">',
        "<title>The life of a token: used until 55:00.000, replaced from 55:00.001</title>",
        _span(LEFT, at_due, colours["good"], "use it: no refresh"),
        _span(at_due, at_end, colours["due"], "refresh it: still valid"),
        _span(at_end, RIGHT, colours["dead"], "expired: never send it"),
        _mark(LEFT, "00:00.000", "issued"),
        _mark(at_due, f"{minutes[0]}:00.000", "last use"),
        _mark(at_end, f"{minutes[1]}:00.000", "expired"),
        _note(at_due - 8, "end", f"{minutes[0] - 1}:59.999 no refresh"),
        _note(at_due + 8, "start", f"{minutes[0]}:00.001 refresh"),
        _note(at_end - 8, "end", f"{minutes[1] - 1}:59.999"),
        _note(at_end + 8, "start", f"{minutes[1]}:00.001"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _span(start: int, end: int, colour: str, words: str) -> str:
    return (
        f'<line x1="{start}" y1="{LINE}" x2="{end}" y2="{LINE}" stroke="{colour}" '
        f'stroke-width="10"/>\n<text x="{(start + end) // 2}" y="{LINE - 22}" '
        f'text-anchor="middle" fill="{colour}">{words}</text>'
    )


def _mark(x: int, time: str, words: str) -> str:
    return (
        f'<line x1="{x}" y1="{LINE - 14}" x2="{x}" y2="{LINE + 14}" stroke="#808890" '
        f'stroke-width="2"/>\n<text x="{x}" y="{LINE + 34}" text-anchor="middle">{time}</text>\n'
        f'<text x="{x}" y="{LINE + 52}" text-anchor="middle">{words}</text>'
    )


def _note(x: int, anchor: str, words: str) -> str:
    return f'<text x="{x}" y="{LINE + 84}" text-anchor="{anchor}" font-size="12">{words}</text>'


if __name__ == "__main__":
    for path, text in drawings().items():
        path.write_text(text)
