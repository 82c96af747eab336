"""Where the API is and who we are, from the environment."""

import os
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class ConfigurationError(Exception):
    """A setting is missing or unsafe; the message never shows its value."""


@dataclass(frozen=True)
class Settings:
    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    timeout: float = 20.0

    @classmethod
    def from_env(cls, prefix: str = "TURRIS") -> "Settings":
        """Raises ConfigurationError: a setting is missing, or the address is not HTTPS."""
        values = {}
        for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET"):
            value = os.environ.get(f"{prefix}_{name}", "").strip()
            if not value:
                raise ConfigurationError(f"set {prefix}_{name}")
            values[name.lower()] = value
        address = urlsplit(values["base_url"])
        if address.scheme != "https" and address.hostname not in LOOPBACK:
            raise ConfigurationError(f"{prefix}_BASE_URL must be an https:// address")
        return cls(
            values["base_url"].rstrip("/"),
            values["client_id"],
            values["client_secret"],
            float(os.environ.get(f"{prefix}_TIMEOUT", "20")),
        )

    @property
    def credentials(self) -> dict[str, str]:
        return {"clientId": self.client_id, "clientSecret": self.client_secret}
