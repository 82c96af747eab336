"""The receivers of the documentation, behind the servers that people run them with."""

from dataclasses import replace

from strangers.receivers.stack import Stack

_RECEIVERS = "../../../../docs/examples/receivers"
_EXPRESS = f"{_RECEIVERS}/express"


def _python(name: str, shows: str, *command: str) -> Stack:
    return Stack(
        name,
        shows,
        "Python",
        "python_apps.py",
        ("{python}", *command),
        folder="of_docs",
        path="/webhooks",
        with_folders=(_RECEIVERS,),
    )


_FASTAPI = _python(
    "docs_fastapi_uvicorn",
    "FastAPI, uvicorn",
    *("-m", "uvicorn", "fastapi_app:app", "--port", "{port}", "--log-level", "error"),
)
_EXPRESS_ALONE = Stack(
    "docs_express",
    "Express, http of Node.js",
    "JavaScript",
    "express_app.js",
    ("node", "express_app.js"),
    folder="of_docs",
    path="/webhooks",
    with_folders=(_EXPRESS,),
)
_APACHE = ("/usr/sbin/apache2", "-f", "{folder}/httpd.conf", "-D", "FOREGROUND")
_NGINX = ("nginx", "-c", "{folder}/nginx.conf")

_ALL = (
    _FASTAPI,
    _python(
        "docs_fastapi_hypercorn",
        "FastAPI, Hypercorn",
        *("-m", "hypercorn", "fastapi_app:app", "--bind", "127.0.0.1:{port}"),
    ),
    _python(
        "docs_fastapi_granian",
        "FastAPI, Granian",
        *("-m", "granian", "--interface", "asgi", "--port", "{port}", "fastapi_app:app"),
    ),
    _python(
        "docs_flask_gunicorn",
        "Flask, gunicorn",
        *("-m", "gunicorn", "python_apps:flask_app()", "--bind", "127.0.0.1:{port}"),
        *("--threads", "4"),
    ),
    _python(
        "docs_flask_waitress",
        "Flask, waitress",
        *("-m", "waitress", "--listen", "127.0.0.1:{port}", "--call", "python_apps:flask_app"),
    ),
    replace(
        _python("docs_flask_apache", "Flask, Apache with mod_wsgi"),
        command=_APACHE,
        files=("/usr/lib/apache2/modules/mod_wsgi.so",),
    ),
    _python(
        "docs_django_gunicorn",
        "Django, gunicorn",
        *("-m", "gunicorn", "python_apps:django_app()", "--bind", "127.0.0.1:{port}"),
        *("--threads", "4"),
    ),
    _python(
        "docs_django_waitress",
        "Django, waitress",
        *("-m", "waitress", "--listen", "127.0.0.1:{port}", "--call", "python_apps:django_app"),
    ),
    _python("docs_aiohttp", "aiohttp", "python_apps.py"),
    _EXPRESS_ALONE,
    replace(
        _FASTAPI,
        name="docs_fastapi_nginx",
        shows="FastAPI, uvicorn behind nginx",
        command=_NGINX,
        behind="docs_fastapi_uvicorn",
    ),
    replace(
        _EXPRESS_ALONE,
        name="docs_express_nginx",
        shows="Express behind nginx",
        command=_NGINX,
        behind="docs_express",
    ),
)
STACKS_OF_DOCS = {stack.name: stack for stack in _ALL}
