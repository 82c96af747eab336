"""How Sphinx builds the site from these pages: ``make docs-site``."""

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx

DOCS = Path(__file__).parent
ROOT = DOCS.parent
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
_LINK = re.compile(r"(!?\[[^\]]*\]\()((?:\.\./|examples/)[^)#\s]+)")

project = _PROJECT["name"]
copyright = "the contributors of pytest-turris, MIT licensed"  # noqa: A001 - Sphinx' name for it
version = release = _PROJECT["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "examples", "tables"]
suppress_warnings = ["myst.header"]  # generated pages begin at the second level below a fold

myst_enable_extensions = ["colon_fence", "fieldlist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"pytest-turris {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": True,
    "top_of_page_buttons": [],
}
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True


def setup(app: Sphinx) -> None:
    """Connect what the pages need to be read on the web as well as in a checkout."""
    app.connect("source-read", _link_to_repository)


def _link_to_repository(_app: Sphinx, page: str, source: list[str]) -> None:
    """Turn links to files that are not pages of the site into links to the repository."""
    folder = (DOCS / page).parent
    base = f"{_PROJECT['urls']['Source']}/blob/v{release}"

    def resolved(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        inside = target.is_relative_to(DOCS) and (target.suffix in {".md", ".json", ".svg", ".png"})
        if inside and not target.is_relative_to(DOCS / "examples"):
            return link[0]
        return f"{link[1]}{base}/{target.relative_to(ROOT)}"

    source[0] = _LINK.sub(resolved, source[0])
