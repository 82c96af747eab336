"""The checks of files, FE-01 to FE-04."""

from pytest_turris.audit.check import AuditCheck

SCANS: tuple[AuditCheck, ...] = (
    AuditCheck(
        id="FE-01",
        title="No Turris credential is in a file",
        level="must",
        does="Looks for credentials of a sandbox, and for those in the environment of the scan, in "
        "each file: as such, percent-encoded, in Base64, in hex, and in inline source maps.",
        why="Anyone with the file, such as a visitor of the page, can call Turris in your name.",
        fix="Call Turris from your server; let the page call that. Replace the credential.",
        source="vendor: never expose clientId or clientSecret in frontend code",
    ),
    AuditCheck(
        id="FE-02",
        title="No secret has a name that build tools copy into pages",
        level="should",
        does="Looks for names such as VITE_API_SECRET and NEXT_PUBLIC_TURRIS_TOKEN.",
        why="The build tool writes the value of such a variable into the page, for all to read.",
        fix="Rename the variable without the prefix, and read it on the server only.",
        source="vite.dev/guide/env-and-mode; nextjs.org/docs, environment variables",
    ),
    AuditCheck(
        id="FE-03",
        title="No source map has the sources",
        level="should",
        does="Looks for source maps with sourcesContent, next to a script or inside of it.",
        why="It publishes comments, unused code and names that the build would have removed.",
        fix="Build without source maps, or with hidden ones that are not published.",
        source="ECMA-426, sourcesContent; CWE-540",
    ),
    AuditCheck(
        id="FE-04",
        title="No other secret is in a file",
        level="should",
        does="Lets detect-secrets look for keys and passwords of well-known kinds.",
        why="A key in a file is in each copy of it, and stays in the history.",
        fix="Replace the key, and read it from the environment or a secrets manager.",
        source="vendor: environment variables or a secrets manager; CWE-798; detect-secrets",
    ),
)
