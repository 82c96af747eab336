"""An error that says what failed, without the request and without its cause."""


class ApiError(Exception):
    pass


def call(secret):
    failed = False
    try:
        raise ValueError({"clientSecret": secret})
    except ValueError:
        failed = True
    if failed:
        raise ApiError("the token request failed")
