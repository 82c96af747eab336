"""The receivers of the documentation, each with a database for what they do."""

import os
import sqlite3
from typing import Any

from turris_inbox import Inbox

DATABASE = os.environ["DATABASE_PATH"]


def act(key: str, entry: dict[str, Any]) -> None:
    """Insert once, as the documentation asks."""
    database = sqlite3.connect(DATABASE, timeout=10)
    with database:
        database.execute("CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY)")
        database.execute("INSERT OR IGNORE INTO entries VALUES (?)", (key,))
    database.close()


def inbox() -> Inbox:
    key, entity = os.environ["TURRIS_WEBHOOK_SECRET"], os.environ["TURRIS_UPSTREAM_ENTITY_ID"]
    return Inbox([key], entity, act)


def fastapi_app() -> Any:
    import fastapi_receiver

    return fastapi_receiver.create_app(inbox())


def flask_app() -> Any:
    import flask_receiver

    return flask_receiver.create_app(inbox())


def django_app() -> Any:
    import django_receiver

    return django_receiver.create_app(inbox())


if __name__ == "__main__":
    import aiohttp_receiver
    from aiohttp import web

    app = aiohttp_receiver.create_app(inbox())
    web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
