from django.db import models


class WebhookEvent(models.Model):
    digest = models.CharField(max_length=64, unique=True)
    webhook_type = models.CharField(max_length=100)
    payload = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)
