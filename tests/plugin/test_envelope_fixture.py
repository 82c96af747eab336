import pytest


def test_a_test_runs_once_under_each_documented_envelope(pytester: pytest.Pytester) -> None:
    """The four variants by name, and what a token's answer looks like in each."""
    pytester.makepyfile(
        """
        import httpx

        SHAPES = {
            "data": ["data", "requestId", "timestamp"],
            "data_with_status": ["requestId", "statusCode", "timestamp", "data"],
            "status_without_request_id": ["statusCode", "data", "timestamp"],
            "top_level": ["requestId", "timestamp", "accessToken", "expiresIn", "tokenType"],
        }

        def test_token(turris, turris_envelope):
            client = turris.client
            body = {"clientId": client.client_id, "clientSecret": client.client_secret}
            answer = httpx.post(turris.base_url + "/v1/auth/jwt", json=body)
            assert list(answer.json()) == SHAPES[turris_envelope]
        """
    )
    result = pytester.runpytest_inprocess(
        "--strict-markers", "-v", "-p", "no:randomly", "-p", "no:asyncio"
    )
    result.assert_outcomes(passed=4)
    for name in ("data", "data_with_status", "status_without_request_id", "top_level"):
        result.stdout.fnmatch_lines([f"*test_token[[]{name}[]] PASSED*"])
