"""Files with a credential, a name, or sources that no visitor should see; and better ones.

``...`` stands for what would make a text a credential: nothing in the wheel shall look like one.
"""

from typing import NamedTuple


class ScannedExample(NamedTuple):
    """The text of one file, and the same without the fault."""

    file: str
    broken: str
    right: str


SCANNED = {
    "FE-01": ScannedExample(
        "app.js",
        """// In the page: every visitor can read it.
const secret = "turris_sandbox_secret_...";
const token = await signIn(secret);
const agents = await fetch(`${TURRIS}/v1/agents`, {headers: {Authorization: `Bearer ${token}`}});
""",
        """// The page asks your own server, which has the credential in its environment.
const agents = await fetch("/api/agents");
""",
    ),
    "FE-02": ScannedExample(
        ".env",
        """# Vite copies what begins with VITE_ into the page.
VITE_TURRIS_CLIENT_SECRET=
""",
        """# Only the server reads it.
TURRIS_CLIENT_SECRET=
""",
    ),
    "FE-03": ScannedExample(
        "app.js.map",
        '{"version": 3, "sources": ["app.ts"], "sourcesContent": ["// why"], "mappings": ""}\n',
        '{"version": 3, "sources": ["app.ts"], "mappings": ""}\n',
    ),
    "FE-04": ScannedExample(
        "settings.py",
        'GITHUB_TOKEN = "ghp_..."\n',
        'import os\n\nGITHUB_TOKEN = os.environ["GITHUB_TOKEN"]\n',
    ),
}
