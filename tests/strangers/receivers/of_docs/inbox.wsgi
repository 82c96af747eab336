from python_apps import flask_app

application = flask_app()
