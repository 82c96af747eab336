"""Where the documentation is: every failure text that points at a page uses this base."""

DOCS = "https://pytest-turris.readthedocs.io/en/latest/"


def page(path: str, anchor: str = "") -> str:
    """The URL of a page, such as ``page("attacks/signature", "wh-05-wrong-same-length")``.

    Args:
        path: The page's path below ``docs/``, without its suffix.
        anchor: The heading on the page, as its slug.
    """
    return f"{DOCS}{path}.html" + (f"#{anchor}" if anchor else "")
