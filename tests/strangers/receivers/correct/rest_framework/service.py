"""Django REST framework: the signature is an authentication class, the body a serializer."""

import hashlib
import hmac
import os

import django
from django.conf import settings
from django.core.exceptions import RequestDataTooBig

settings.configure(
    SECRET_KEY="only-for-this-machine",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE_PATH"]}
    },
    DATA_UPLOAD_MAX_MEMORY_SIZE=524_288,
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    },
    USE_TZ=True,
)
django.setup()

from django.core.wsgi import get_wsgi_application
from django.db import IntegrityError, connection, transaction
from django.urls import path
from rest_framework import exceptions, serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class TurrisUser:
    is_authenticated = True


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "Body too large."


class TurrisSignature(BaseAuthentication):
    def authenticate(self, request):
        given = request.headers.get("X-Turris-Signature")
        if not given:
            return None
        try:
            body = request.body
        except RequestDataTooBig:
            raise TooLarge from None
        key = os.environ["TURRIS_WEBHOOK_SECRET"].encode()
        wanted = hmac.new(key, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise exceptions.AuthenticationFailed("Invalid signature.")
        return TurrisUser(), None

    def authenticate_header(self, request):
        return "Turris-Signature"


class EventSerializer(serializers.Serializer):
    webhookType = serializers.CharField(max_length=80)
    upstreamEntityId = serializers.CharField()
    payload = serializers.JSONField()

    def validate_upstreamEntityId(self, value):
        if value != os.environ["TURRIS_UPSTREAM_ENTITY_ID"]:
            raise serializers.ValidationError("Unknown entity.")
        return value


class TurrisWebhook(APIView):
    authentication_classes = [TurrisSignature]
    permission_classes = [IsAuthenticated]

    def post(self, request):
        serializer = EventSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        digest = hashlib.sha256(request.body).hexdigest()
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO events VALUES (%s, %s)",
                    [digest, serializer.validated_data["webhookType"]],
                )
        except IntegrityError:
            return Response({"status": "duplicate"})
        return Response({"status": "stored"}, status=status.HTTP_201_CREATED)


urlpatterns = [path("webhooks/turris", TurrisWebhook.as_view())]

with connection.cursor() as setup:
    setup.execute("CREATE TABLE IF NOT EXISTS events (digest TEXT PRIMARY KEY, type TEXT)")

application = get_wsgi_application()
