"""``turris-sandbox openapi``."""

import json

from click.testing import CliRunner
from openapi_spec_validator import validate

from mock_server.shell.cli import app


def test_prints_a_valid_description() -> None:
    """It is OpenAPI 3.1 and depends on the options."""
    result = CliRunner().invoke(app, ["openapi", "-o", "envelope=top_level"])
    assert result.exit_code == 0
    description = json.loads(result.stdout)
    validate(description)
    assert description["openapi"] == "3.1.0"
    agent = description["paths"]["/v1/agents/{agentId}"]["get"]["responses"]["200"]
    assert "allOf" in agent["content"]["application/json"]["schema"]
