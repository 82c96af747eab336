"""Build the site: ``make docs-site``, or ``python docs/build_site.py FOLDER [NAME]``.

Each version is a folder of its own below ``FOLDER/en/``, as on Read the Docs, and its links are
relative. So releases are next to each other; ``index.html`` in the folder above lists them. The
pages load nothing from elsewhere, and their search runs in the browser.
"""

import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

DOCS = Path(__file__).parent


def build(folder: Path, name: str = "latest") -> int:
    """Build one version; a warning is an error.

    Args:
        folder: Where the site is.
        name: The version's folder, such as ``latest`` or ``0.2``.

    Returns:
        Sphinx' exit status.
    """
    target = folder / "en" / name
    status = sphinx_build(
        ["-q", "-W", "--keep-going", "-b", "html", "-d", str(folder / ".doctrees" / name),
         str(DOCS), str(target)]
    )  # fmt: skip
    if status == 0:
        (folder / "en" / "index.html").write_text(_list_of_versions(folder / "en"))
    return status


def _list_of_versions(folder: Path) -> str:
    names = sorted((one.name for one in folder.iterdir() if one.is_dir()), reverse=True)
    links = "\n".join(f'<li><a href="{name}/index.html">{name}</a></li>' for name in names)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>pytest-turris: versions of the documentation</title>
<h1>Versions of the documentation</h1>
<ul>
{links}
</ul>
</html>
"""


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]), *sys.argv[2:3]))
