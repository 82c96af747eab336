"""Answers that tell what the receiver is like inside, in the words of its runtime."""

import pytest

from pytest_turris.attacks.judging.traces import leaked_details

TRACES = {
    "Python": 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in <module>',
    "Python, in HTML": "File &quot;/srv/app.py&quot;, line 3, in handler",
    "Python, one frame as JSON": r'{"trace":"File \"/srv/app.py\", line 3, in handler"}',
    "Django": "<p>You're seeing this error because you have <code>DEBUG = True</code>",
    "Node": "TypeError: x is not a function\n    at Object.<anonymous> (/srv/app.js:3:9)",
    "Node, modules": "    at async handler (file:///srv/app.mjs:12:3)",
    "Node, in HTML": "SyntaxError: Unexpected token<br> &nbsp; &nbsp;at JSON.parse "
    "(&lt;anonymous&gt;)<br> &nbsp; &nbsp;at parse (/srv/node_modules/x.js:92:19)",
    "Node, internals": "    at node:internal/process/task_queues:95:5",
    "Node, as JSON": r'{"stack":"Error: x\n    at verify (C:\\srv\\app.ts:3:9)"}',
    "Java": "java.lang.NullPointerException\n\tat com.example.Hook.receive(Hook.java:42)",
    "Java, modules": "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
    "Kotlin": "at com.example.HookKt$main$1.invoke(Hook.kt:7)",
    "Go": "goroutine 21 [running]:\nnet/http.(*conn).serve.func1()\n",
    "Go, a message": "runtime error: index out of range [0] with length 0",
    "Ruby": "app.rb:12:in `block in <main>': undefined method `[]' for nil (NoMethodError)",
    "Ruby 3.4": "/usr/lib/app.rb:12:in 'Hook#call'",
    "Rails": "<h1>Action Controller: Exception caught</h1>",
    "PHP": "<b>Warning</b>: Undefined array key in <b>/var/www/hook.php</b> on line <b>7</b>",
    "PHP, a trace": "#0 /var/www/html/index.php(23): hook()\n#1 {main}",
    "PHP, uncaught": "Uncaught TypeError: x in /var/www/hook.php:12",
    "Laravel": r'{"message":"x","file":"\/var\/www\/app\/Hook.php","line":7,"trace":[]}',
    ".NET": "   at Hooks.Receive(String body) in /src/Hooks.cs:line 31",
    ".NET, the framework": "   at System.Text.Json.ThrowHelper.ThrowJsonReaderException(Utf8)",
    "ASP.NET": "<h1>An unhandled exception occurred while processing the request.</h1>",
    "Rust": "thread 'tokio-runtime-worker' panicked at src/main.rs:4:5",
    "Perl": "Can't locate object method at /srv/hook.pl line 12.",
    "Elixir": "** (KeyError) key :payload not found",
}
DATABASES = {
    "PDO": "SQLSTATE[42000]: Syntax error or access violation: 1064",
    "SQLAlchemy": "(Background on this error at: https://sqlalche.me/e/20/e3q8)",
    "PostgreSQL": 'ERROR: syntax error at or near "Brien" at character 43',
    "PostgreSQL, unique": 'duplicate key value violates unique constraint "events_pkey"',
    "PostgreSQL, a table": 'pq: relation "events" does not exist',
    "MySQL": "You have an error in your SQL syntax; check the manual",
    "MySQL, unique": "ER_DUP_ENTRY: Duplicate entry '7' for key 'PRIMARY'",
    "SQLite": 'near "Brien": syntax error',
    "SQLite, unique": "UNIQUE constraint failed: events.id",
    "SQLite, Node": "SqliteError: SQLITE_CONSTRAINT: UNIQUE",
    "SQL Server": "Unclosed quotation mark after the character string 'Brien'.",
    "Oracle": "ORA-01756: quoted string not properly terminated",
    "MongoDB": "MongoServerError: E11000 duplicate key error collection: hooks.events",
    "Mongoose": 'Cast to ObjectId failed for value "x" (type string)',
    "Redis": "WRONGTYPE Operation against a key holding the wrong kind of value",
    "Hibernate": "could not execute statement [n/a]; SQL [n/a]",
    "Rails": "ActiveRecord::StatementInvalid",
}
FINE = {
    "a reason": '{"error":"invalid signature"}',
    "a parser": "Unexpected token < in JSON at position 0",
    "Go's parser": "invalid character 'x' after top-level value",
    "a schema": '{"detail":[{"loc":["body","payload",0,"npn"],"msg":"field required"}]}',
    "a date": "Received at Sat, 28 Nov 2026 08:00:00 GMT (12:30:45)",
    "an address": "listening at 127.0.0.1:8000 (http://127.0.0.1:8000:1)",
    "a duplicate": "Duplicate entry: this webhook was processed before",
    "what came": '{"received":{"branchName":"\'; DROP TABLE agents; --"}}',
    "a link": "see https://example.com/docs/errors.html#sql for more",
    "a pointer": "at line 1 column 7 (char 6)",
    "a problem": '{"type":"about:blank","title":"Bad Request","instance":"/webhooks"}',
    "Spring Boot": '{"timestamp":"2026-11-28T08:00:00.000+00:00","status":400,'
    '"error":"Bad Request","path":"/webhooks"}',
}


@pytest.mark.parametrize("text", TRACES.values(), ids=TRACES.keys())
def test_stack_traces_are_known(text: str) -> None:
    """A stack trace, or a part of one, in whatever language and form."""
    assert "stack trace" in leaked_details(text)


@pytest.mark.parametrize("text", DATABASES.values(), ids=DATABASES.keys())
def test_database_errors_are_known(text: str) -> None:
    """An error of a database, or of what speaks to it, as that writes it."""
    assert "database error" in leaked_details(text)


@pytest.mark.parametrize("text", FINE.values(), ids=FINE.keys())
def test_other_answers_tell_nothing(text: str) -> None:
    """Reasons, positions, dates, links and what was sent are no secrets."""
    assert leaked_details(text) == ""
