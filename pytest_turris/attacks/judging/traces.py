"""What an answer must not tell: stack traces, and the errors of databases (CWE-209)."""

import html
import re
from collections.abc import Mapping

_PLACE = r"(?:file:///?|node:|/|[A-Za-z]:\\\\?)"
"""How the place of a source file begins: a URL, a path, a drive."""

_TRACES: Mapping[str, tuple[str, ...]] = {
    "Python": (
        r"Traceback \(most recent call last\)",
        r'File \\?"/[^"]+\\?", line \d+',
        r"/site-packages/",
        r"You're seeing this error because you have <code>DEBUG = True",
        r"Werkzeug Debugger",
    ),
    "Node": (
        rf"\bat (?:async )?(?:new )?[^\n()]{{1,120}} \({_PLACE}[^\s()]+:\d+:\d+\)",
        rf"\bat (?:async )?{_PLACE}[^\s()<]+:\d+:\d+",
        r"\bat [\w.$]+ \(<anonymous>\)",
        r"[/\\]node_modules[/\\]",
    ),
    "Java": (
        r"\bat [\w.$/-]+\.(?:[\w$]+|<\w+>)\([\w$-]+\.(?:java|kt|scala|groovy|clj):\d+\)",
        r"\bat [\w.$/-]+\((?:Native Method|Unknown Source)\)",
        r'Exception in thread "',
    ),
    "Go": (
        r"\bgoroutine \d+ \[\w[\w ,]*\]:",
        r"\bpanic: runtime error:",
        r"/[\w./@-]+\.go:\d+ \+0x[0-9a-f]+",
        r"runtime error: (?:index out of range|invalid memory address|slice bounds)",
    ),
    "Ruby": (
        r"\.rb:\d+:in [`'\u2018]",
        r"/gems/[\w.-]+/lib/",
        r"Action Controller: Exception caught",
        r"you have enabled the <code>show_exceptions</code>",
    ),
    "PHP": (
        r"\bin (?:<b>)?(?:/|[A-Za-z]:\\)[^\n<>]*\.php(?:</b>)? on line (?:<b>)?\d+",
        r"#\d+ (?:/|[A-Za-z]:\\)[^\n]*\.php\(\d+\)",
        r"\bin (?:/|[A-Za-z]:\\)[^\n<>]*\.php:\d+",
        r'"file"\s*:\s*"(?:\\?/|[A-Za-z]:\\\\)[^"]+\.php"',
    ),
    ".NET": (
        r"\bat [\w.`<>+\[\],]+\([^()]*\) in (?:/|[A-Za-z]:\\\\?)[^\n]*?\.(?:cs|fs|vb):line \d+",
        r"\bat (?:System|Microsoft)\.[\w.`<>+\[\],]+\(",
        r"--- End of (?:inner exception )?stack trace",
        r"An unhandled exception occurred while processing the request\.",
    ),
    "Rust": (r"thread '[^']*' (?:\(\d+\) )?panicked at",),
    "Perl": (r" at /[\w./-]+\.p[lm] line \d+\.",),
    "Elixir": (r"\*\* \(\w[\w.]*Error\)", r"\blib/[\w./-]+\.ex:\d+: "),
}

_DATABASES: Mapping[str, tuple[str, ...]] = {
    "SQL": (
        r"SQLSTATE[\[ (:=]",
        r"\bsqlalchemy\.exc\.|https?://sqlalche\.me/e/|\[SQL: ",
        r"\bActiveRecord::(?:StatementInvalid|RecordNotUnique|NotNullViolation)",
        r"\bSequelize(?:Database|UniqueConstraint)Error|\bQueryFailedError\b",
        r"\bPrismaClient\w+Error\b|Invalid `prisma\.",
        r"\bPDOException\b|Illuminate\\{1,2}Database\\{1,2}QueryException|Doctrine\\{1,2}DBAL",
        r"\bjava\.sql\.SQL\w*Exception\b|\borg\.hibernate\.\w|could not execute statement",
        r"\bjava\.sql\.BatchUpdateException\b|\bJDBC exception\b|\bDbUpdateException\b",
    ),
    "PostgreSQL": (
        r'syntax error at or near \\?"|unterminated quoted (?:string|identifier) at or near',
        r'\brelation \\?"[^"]+\\?" does not exist',
        r"violates (?:unique|not-null|foreign key|check) constraint",
        r'\bcolumn \\?"[^"]+\\?" (?:of relation|does not exist)',
        r"\bpsycopg2?\.|\basyncpg\.exceptions\.|\bPSQLException\b|\bNpgsql\.\w+Exception",
        r"invalid input syntax for (?:type|integer|uuid)|invalid byte sequence for encoding",
    ),
    "MySQL": (
        r"You have an error in your SQL syntax",
        r"\bER_(?:PARSE_ERROR|DUP_ENTRY|BAD_FIELD_ERROR|DATA_TOO_LONG|NO_SUCH_TABLE)\b",
        r"Duplicate entry '[^']*' for key|Unknown column '[^']*' in '",
        r"Data too long for column '|Incorrect string value: '",
        r"\bpymysql\.err\.|\bMySQLdb\.|\bmysql\.connector\.errors\.|\bMySqlException\b",
    ),
    "SQLite": (
        r"\bSQLITE_(?:ERROR|CONSTRAINT|BUSY|LOCKED|MISMATCH|RANGE|MISUSE|READONLY)\b",
        r"\bsqlite3\.\w+Error\b|\bSQLite3::\w+(?:Exception|Error)\b|\bSqliteException\b",
        r"(?:UNIQUE|NOT NULL|FOREIGN KEY|CHECK) constraint failed",
        r'near \\?"[^"]*\\?": syntax error|unrecognized token: \\?"',
        r"no such (?:table|column): \w|\bdatabase is locked\b",
    ),
    "SQL Server": (
        r"Unclosed quotation mark after the character string|Incorrect syntax near '",
        r"\bSqlClient\.SqlException\b|\bpyodbc\.\w*Error\b|Conversion failed when converting",
    ),
    "Oracle": (r"\bORA-\d{5}\b",),
    "MongoDB": (
        r"\bE11000 duplicate key error|\bMongo(?:Server|Network|Bulk\w*)?Error\b",
        r"\bpymongo\.errors\.|Cast to ObjectId failed|\bBSONError\b",
    ),
    "Redis": (r"\bWRONGTYPE Operation against a key|\bredis\.exceptions\.",),
}


def _alternatives(group: Mapping[str, tuple[str, ...]]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile("|".join(patterns)) for name, patterns in group.items()}


_FORMS = {
    **{f"a stack trace of {name}": one for name, one in _alternatives(_TRACES).items()},
    **{f"a database error ({name})": one for name, one in _alternatives(_DATABASES).items()},
}


def leaked_details(text: str) -> str:
    """Return which kind of internal detail a text shows.

    Args:
        text: The headers and the body of an answer.

    Returns:
        "a stack trace of PHP", "a database error (SQLite)"; empty if no known form is found.
        The texts are those that the runtimes and databases themselves write.
    """
    told = html.unescape(text)
    return next((words for words, form in _FORMS.items() if form.search(told)), "")
