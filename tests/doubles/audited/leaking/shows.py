"""A settings class as dataclasses are written."""

from dataclasses import dataclass


@dataclass
class Settings:
    client_id: str
    client_secret: str
