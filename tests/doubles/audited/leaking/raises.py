"""An error with the request as its cause's argument."""


class ApiError(Exception):
    pass


def call(secret):
    try:
        raise ValueError({"clientSecret": secret})
    except ValueError as error:
        raise ApiError("the token request failed") from error  # LK-04
