from python_apps import fastapi_app

app = fastapi_app()
