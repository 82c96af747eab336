"""Write what is made from the code; a test keeps it equal.

``make docs`` runs it. It writes everything below ``MARK`` on the pages in ``PARTS``, the number in
each ``<!-- count: NAME -->0<!-- /count -->`` on any page, the ini keys in the plugin, the
code that ``turris-sandbox explain`` shows, and the controls and names that the command line knows.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests"))  # Some tables are about the tests' doubles,
sys.path.append(str(ROOT / "docs" / "examples" / "receivers"))  # which are built on these.

import picture
from tables import (
    api,
    attacks,
    audit,
    audited_libraries,
    compatibility,
    controls,
    counts,
    examples,
    fidelity,
    findings,
    names,
    operations,
    options,
    policy_columns,
    receivers,
    records,
    rules,
    soak,
    stranger_clients,
)

from mock_server.control.description import describe_all
from mock_server.controlling.rows import CONTROLS_FILE as CONTROLS
from mock_server.controlling.rows import as_json
from mock_server.shell.completion.values import NAMES_FILE

DOCS = ROOT / "docs"
PLUGIN = ROOT / "pytest_turris" / "plugin.py"
MARK = "<!-- made by docs/pages.py -->\n"
PARTS: dict[str, Callable[[], str]] = {
    "fidelity.md": fidelity.as_markdown,
    "reference/options.md": options.as_markdown,
    "reference/http-api.md": operations.as_markdown,
    "reference/control-api.md": controls.as_markdown,
    "reference/policy-file.md": policy_columns.as_markdown,
    "reference/records.md": records.as_markdown,
    "reference/compatibility.md": compatibility.as_markdown,
    "how-to/token-clients.md": rules.as_markdown,
    "explanation/sweep-findings.md": findings.as_markdown,
    "explanation/audit-findings.md": audited_libraries.as_markdown,
    "explanation/soak.md": soak.as_markdown,
    "reference/audit-checks.md": audit.as_markdown,
    "reference/token-rules.md": rules.rules_sections,
    "reference/hostile-answers.md": rules.answers_sections,
    "reference/verdicts-clients.md": stranger_clients.as_markdown,
    "attacks/mutations.md": attacks.mutations,
    "attacks/verify-webhooks.md": receivers.as_markdown,
    **{f"reference/api/{name}.md": partial(api.page, name) for name in api.NAMES},
    **{f"attacks/{name}.md": partial(attacks.family, name) for name in attacks.FAMILIES},
}
"""Each page below ``docs/`` with the function that makes its part below the mark."""


def made() -> dict[Path, str]:
    """Each file with its whole text as it should be."""
    parts = {DOCS / name: make for name, make in PARTS.items()}
    texts = {path: path.read_text() for path in (ROOT / "README.md", *DOCS.rglob("*.md"), *parts)}
    for path, make in parts.items():
        texts[path] = f"{texts[path].partition(MARK)[0]}{MARK}\n{make()}"
    found = {path: counts.filled(text) for path, text in texts.items()}
    found |= {examples.FILE: examples.as_json(), picture.FILE: picture.drawing()}
    found |= {CONTROLS: as_json(describe_all()), NAMES_FILE: names.as_json()}
    return found | {PLUGIN: options.ini_names_filled(PLUGIN.read_text())}


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text)
