"""A receiver with Django: the view, and a project in one file."""

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from turris_inbox import MAX_BODY, Inbox


def create_view(inbox: Inbox) -> object:
    @csrf_exempt  # the signature authenticates the sender
    @require_POST
    def receive(request: HttpRequest) -> HttpResponse:
        # request.body would raise for more than DATA_UPLOAD_MAX_MEMORY_SIZE.
        body = request.read(MAX_BODY + 1)
        return HttpResponse(status=inbox.receive(request.headers.items(), body))

    return receive


def create_app(inbox: Inbox) -> WSGIHandler:
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=(), MIDDLEWARE=[], SECRET_KEY="x")
        django.setup()
    view = create_view(inbox)
    urlpatterns = (path("webhooks", view),)

    class Handler(WSGIHandler):
        def get_response(self, request: HttpRequest) -> HttpResponse:
            request.urlconf = urlpatterns
            return super().get_response(request)

    return Handler()
