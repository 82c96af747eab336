"""A receiver that is a Django application, and a test inside a transaction of its database."""

import pytest
from doubles.consumer_project import Project

APP = """
import hashlib, hmac, os
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FILE}},
    ROOT_URLCONF="shop", ALLOWED_HOSTS=["*"], SECRET_KEY="x", INSTALLED_APPS=[],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
)
django.setup()

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, models
from django.http import HttpResponse
from django.urls import path

class Row(models.Model):
    body = models.TextField(unique=True)
    class Meta:
        app_label = "shop"

with connection.schema_editor() as editor:
    editor.create_model(Row)

def receive(request):
    key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
    expected = hmac.new(key, request.body, hashlib.sha256).hexdigest()
    given = request.headers.get("X-Turris-Signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return HttpResponse(status=401)
    Row.objects.get_or_create(body=request.body.decode())
    return HttpResponse(status=204)

urlpatterns = [path("webhooks", receive)]
wsgi, asgi = WSGIHandler(), ASGIHandler()

class Middleware:
    def __init__(self, app):
        self.app = app
    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)
"""
TESTS = """
import asyncio, pytest
import shop
from django.db import transaction
from shop import Row, asgi, wsgi, Middleware
from pytest_turris.receivers.in_process.django_database import TransactionError

def count():
    return Row.objects.count()

@pytest.fixture
def db():
    # What pytest-django's fixture of this name does.
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

@pytest.fixture(autouse=True)
def nothing_is_left():
    assert count() == 0
    yield
    assert count() == 0

@pytest.mark.parametrize("app", [asgi, wsgi, Middleware(asgi)])
def test_rows_are_seen(turris_webhook_attack, db, app):
    turris_webhook_attack.run(app, "/webhooks", effects=count)

@pytest.mark.parametrize("app", [asgi, Middleware(asgi)])
def test_send_inside_a_loop_is_refused(turris_webhooks, db, app):
    webhook = turris_webhooks.producer_agreement_executed()

    async def deliver():
        webhook.send(app, "/webhooks")

    async def adeliver():
        await webhook.asend(app, "/webhooks")

    for how in (deliver, adeliver):
        with pytest.raises(TransactionError, match="transactional_db"):
            asyncio.run(how())

def test_send_inside_a_loop_to_another_application(turris_webhooks, db):
    async def other(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def deliver(app):
        webhook = turris_webhooks.producer_agreement_executed()
        return (await webhook.asend(app, "/webhooks")).status_code

    for app in (other, Middleware(other)):
        assert asyncio.run(deliver(app)) == 204

def test_attack_from_an_async_test_is_skipped(turris_webhook_attack, db):
    with pytest.raises(BaseException, match="transactional_db"):
        asyncio.run(turris_webhook_attack.arun(asgi, "/webhooks", effects=count))

def test_without_a_transaction(turris_webhooks):
    webhook = turris_webhooks.producer_agreement_executed()

    async def adeliver():
        return (await webhook.asend(asgi, "/webhooks")).status_code

    assert asyncio.run(adeliver()) == 204
    assert webhook.send(asgi, "/webhooks").status_code == 204
    assert count() == 1
    Row.objects.all().delete()
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """A Django project whose database is a file, as threads of a server would share it."""
    project.files(TESTS, shop=APP.replace("FILE", repr(str(project.pytester.path / "db"))))
    return project


def test_rows_of_the_test_are_seen_and_rolled_back(shop: Project) -> None:
    """Attacks and their effects use the connection of the test; a loop in its thread is refused.

    That is for Django, which runs views in other threads; other applications stay in theirs.
    """
    chosen = "(rows and (WH-01 or WH-02)) or (async and WH-28) or send_inside or without"
    result = shop.run_apart("-k", chosen)
    assert result.ret == 0
    result.assert_outcomes(passed=11)


def test_attack_in_threads_is_skipped(shop: Project) -> None:
    """Twenty at once need threads of their own in WSGI, which would not see the transaction."""
    result = shop.run_apart("-k", "WH-85", "-rs", "-o", "turris_attack_profile=full")
    result.stdout.fnmatch_lines(["*requests at the same time run in threads*transactional_db*"])
    assert "failed" not in result.parseoutcomes()
