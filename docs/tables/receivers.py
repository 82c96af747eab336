"""The example receivers, whole."""

from pathlib import Path

_EXAMPLES = Path(__file__).parents[1] / "examples" / "receivers"
_TITLES = {
    "What all of them share": "turris_inbox.py",
    "FastAPI": "fastapi_receiver.py",
    "Flask": "flask_receiver.py",
    "Django": "django_receiver.py",
    "aiohttp": "aiohttp_receiver.py",
    "Express": "express/receiver.js",
}


def as_markdown() -> str:
    """A section for each example, with its code."""
    parts = []
    for title, name in _TITLES.items():
        language = "javascript" if name.endswith(".js") else "python"
        code = (_EXAMPLES / name).read_text().rstrip()
        parts.append(f"## {title}\n\n```{language}\n{code}\n```\n")
    return "\n".join(parts)
