"""The site: built once with warnings as errors, whole without a network, every name on a page."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tables import api

import pytest_turris
from mock_server.explaining import checks, lines, options
from pytest_turris.audit.families import FAMILIES
from pytest_turris.core.text.docs_links import DOCS as URL

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built version; an unresolved link or an unlisted page fails here."""
    folder = tmp_path_factory.mktemp("site")
    # Sphinx is not what coverage is measured of, and it is slow when it is.
    hidden = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "build_site.py"), str(folder)],
        env={name: value for name, value in os.environ.items() if name not in hidden},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "en" / "latest"


def ids_of(page: Path) -> set[str]:
    """What a link to that page can name."""
    return set(re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8")))


def test_every_failure_leads_to_a_section(site: Path) -> None:
    """The URL of each check and each option is a page of the site and an id on it."""
    explained = [one for prefix in FAMILIES for one in checks.check_explanations(prefix).values()]
    explained += [*options.option_explanations().values(), *lines.line_explanations().values()]
    ids: dict[str, set[str]] = {}
    for one in explained:
        page, _, anchor = one.url.removeprefix(URL).partition("#")
        ids.setdefault(page, ids_of(site / page))
        assert anchor in ids[page], one.url


def test_every_public_name_is_on_a_page_of_the_api(site: Path) -> None:
    """With the signature that it has; collections, records and the parts of a sandbox too."""
    pages = [site / "reference" / "api" / f"{name}.html" for name in api.NAMES]
    documented = {anchor for page in pages for anchor in ids_of(page)}
    homes = {*api.homes(), *(f"pytest_turris.{name}" for name in pytest_turris.__all__)}
    assert not homes - documented


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Styles, scripts, fonts and pictures are files of the site."""
    loads = re.compile(
        r'<(?:script|img|iframe)[^>]+src="([^"]+)"|<link[^>]+stylesheet[^>]+href="([^"]+)"'
    )
    for page in site.rglob("*.html"):
        found = [one or other for one, other in loads.findall(page.read_text())]
        assert not [url for url in found if re.match(r"https?:|//", url)], page


def test_links_between_pages_are_relative(site: Path) -> None:
    """So a release works in any folder, next to others."""
    home = (site / "index.html").read_text()
    assert 'href="reference/options.html"' in home
    assert not re.search(r'(?:href|src)="/', home)


def test_search_works_without_a_server(site: Path) -> None:
    """The index is a script of the site, and has the words of the pages."""
    index = (site / "searchindex.js").read_text()
    data = json.loads(index[index.index("(") + 1 : index.rindex(")")])
    assert "idempot" in data["terms"]


def test_site_shows_its_version_and_both_modes(site: Path) -> None:
    """Every page names the release; the theme has a light and a dark mode."""
    home = (site / "index.html").read_text()
    assert f"pytest-turris {VERSION}" in home
    assert "theme-toggle" in home


def test_versions_are_listed_above(site: Path) -> None:
    """The folder above links each version."""
    assert 'href="latest/index.html"' in (site.parent / "index.html").read_text()


def test_links_to_the_repository_are_files_of_it(site: Path) -> None:
    """What is not a page of the site is linked in the repository."""
    source = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
    to_file = re.compile(rf'href="{source}/blob/v[^/]+/([^"#]+)')
    links = {link for page in site.rglob("*.html") for link in to_file.findall(page.read_text())}
    assert "tests/docs/test_language.py" in links
    assert not [link for link in links if not (ROOT / link).exists()]
