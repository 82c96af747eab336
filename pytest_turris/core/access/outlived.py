"""Credentials that outlive the test that they were made for."""


def no_test(client_id: str) -> str:  # noqa: ARG001 - as whatever knows the tests
    """For a sandbox that belongs to no test."""
    return ""


def of_another_test(test: str) -> str:
    """What a refusal adds about a credential of another test; empty if there is none.

    Args:
        test: The id of the test that has, or had, the credential; or empty.
    """
    if not test:
        return ""
    return (
        f"; it is of {test}. A client, or its settings, outlived that test. Fix: make the client "
        "in each test, or clear its cache"
    )
