"""Access tokens: how to get one, and what tests one."""

from pytest_turris.core.api.call import Operation
from pytest_turris.core.api.operations import auth

ROWS = (
    Operation(
        name="get_oauth_token", method="POST", path="/v1/auth/jwt", status=201, access="public",
        operation_id="AuthController_getToken_v1", handler=auth.get_oauth_token,
        summary="Exchange client credentials for a JWT access token", tag="auth",
        page="authentication/get-oauth-token", body=auth.GetTokenDto, answer=auth.TokenResponse,
        errors=(401,),
    ),
    Operation(
        name="test_oauth", method="GET", path="/v1/auth/test-oauth", access="oauth",
        operation_id="AuthController_testOauth_v1", operation_id_documented=False,
        enveloped=False, handler=auth.oauth_test, summary="Test an access token", tag="auth",
        page="authentication (guide)", answer=auth.MessageResponse, status_provenance="assumed",
    ),
    Operation(
        name="test_restricted_access_token", method="GET",
        path="/v1/auth/test-restricted-access-token", access="restricted",
        operation_id="AuthController_testRestrictedAccessToken_v1",
        operation_id_documented=False, enveloped=False, handler=auth.restricted_token_test,
        summary="Test a restricted access token", tag="auth", page="authentication (guide)",
        answer=auth.MessageResponse, provenance="assumed", status_provenance="assumed",
    ),
    Operation(
        name="jwks", method="GET", path="/.well-known/jwks.json", access="public",
        operation_id="AuthController_getJwks_v1", operation_id_documented=False,
        documented=False, enveloped=False, handler=auth.jwks,
        summary="The public signing keys of access tokens", tag="auth", provenance="assumed",
        status_provenance="assumed",
    ),
)  # fmt: skip
