"""Settings of a small project, as `startproject` makes them, less what it does not use."""

import os

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "only-for-this-machine")
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = ["inbox"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["DATABASE_PATH"],
        "ATOMIC_REQUESTS": True,
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TURRIS_WEBHOOK_SECRET = os.environ["TURRIS_WEBHOOK_SECRET"]
TURRIS_UPSTREAM_ENTITY_ID = os.environ["TURRIS_UPSTREAM_ENTITY_ID"]
