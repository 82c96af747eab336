"""A settings class whose repr leaves the secret out."""

from dataclasses import dataclass, field


@dataclass
class Settings:
    client_id: str
    client_secret: str = field(repr=False)
