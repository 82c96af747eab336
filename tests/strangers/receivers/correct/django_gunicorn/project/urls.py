from django.urls import path
from inbox.views import turris_webhook

urlpatterns = [path("webhooks/turris", turris_webhook)]
