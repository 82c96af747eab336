import hashlib
import hmac
import json

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from inbox.models import WebhookEvent


@csrf_exempt
@require_POST
def turris_webhook(request: HttpRequest) -> HttpResponse:
    try:
        body = request.body
    except RequestDataTooBig:
        return JsonResponse({"detail": "Payload too large"}, status=413)
    signature = hmac.new(settings.TURRIS_WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    if not constant_time_compare(signature, request.headers.get("X-Turris-Signature", "")):
        return JsonResponse({"detail": "Invalid signature"}, status=403)
    try:
        event = json.loads(body)
        webhook_type, payload = event["webhookType"], event["payload"]
        entity = event["upstreamEntityId"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return JsonResponse({"detail": "Malformed event"}, status=400)
    if entity != settings.TURRIS_UPSTREAM_ENTITY_ID or not isinstance(webhook_type, str):
        return JsonResponse({"detail": "Unknown entity"}, status=400)
    WebhookEvent.objects.get_or_create(
        digest=hashlib.sha256(body).hexdigest(),
        defaults={"webhook_type": webhook_type[:100], "payload": payload},
    )
    return HttpResponse(status=204)
