"""The questions to a tenant, each about one row of the fidelity table."""

from collections.abc import Callable
from dataclasses import dataclass

from mock_server.drift import answers
from mock_server.drift.seen import SeenExchanges
from pytest_turris.core.fidelity import FIDELITY
from pytest_turris.core.options import option_types
from pytest_turris.core.unknowns.rows import Behaviour


@dataclass(frozen=True)
class Question:
    """One question, about one row of the fidelity table.

    Args:
        about: The option that follows the answer, or how the text of the row begins.
        asks: What is asked, in words.
        answer: Returns what was seen: the value of the option, or whether the row is true; None
            if it was not seen.
    """

    about: str
    asks: str
    answer: Callable[[SeenExchanges], object]

    @property
    def option(self) -> str:
        """The option that follows the answer; empty if none does."""
        return self.about if self.about in option_types() else ""

    @property
    def row(self) -> Behaviour:
        """The row: the first that has the option, or that begins with the text."""
        return next(
            row for row in FIDELITY if self.about in row.options or row.what.startswith(self.about)
        )


QUESTIONS = (
    Question("allow_plain_http", "plain HTTP is answered", answers.plain_http),
    Question("token_ttl", "lifetime of a token", answers.token_ttl),
    Question("RS256", "algorithm of the token", answers.token_algorithm),
    Question("`kid`; claims", "`kid` and claims", answers.token_claims),
    Question("`kid`; claims", "key of the token in the JWK Set", answers.key_in_jwks),
    Question("token_issuer", "claim `iss`", answers.claim("iss")),
    Question("token_audience", "claim `aud`", answers.claim("aud")),
    Question(
        "401 messages", "messages of the 401s", answers.refusal_messages(401, *answers.KNOWN_401)
    ),
    Question("`test-oauth`", "bare `message`", answers.bare_message),
    Question("envelope", "members around the payload", answers.envelope),
    Question("optional_fields", "members without a value", answers.optional_members),
    Question("`{statusCode,", "members of errors", answers.error_members),
    Question("`requestId`", "form of request ids", answers.request_ids),
    Question("404 `not_found`", "unknown path", answers.unknown_path),
    Question("404 `not_found`", "unknown id", answers.unknown_id),
    Question("malformed_id", "malformed id", answers.malformed_id),
    Question("unknown_fein", "FEIN of no agency", answers.unknown_fein),
    Question("deleted_agents", "deleted ones in the list", answers.deleted("list_agents")),
    Question("deleted_documents", "deleted ones in the list", answers.deleted("list_documents")),
    Question("unknown_fields", "unknown parameter", answers.unknown_parameter),
    Question("token_requests_per_minute", "limit of token requests", answers.token_limit),
    Question("rate_headers", "rate headers", answers.rate_headers),
    Question("retry_after", "`Retry-After`", answers.retry_after),
    Question("compliance_states", "members of a state", answers.compliance_states),
    Question("appointment_status", "word for a current one", answers.appointment_status),
    Question("document_categories", "newer categories", answers.document_categories),
    Question("upload_status_envelope", "envelope of the status", answers.upload_envelope),
    Question("webhooks_path", "path of the list", answers.webhooks_path),
)
"""All questions, in the order of the fidelity table."""
