"""A directory of a carrier's agencies and agents, read from Turris."""

from agency_directory.client import AgencyDirectory, AsyncAgencyDirectory
from agency_directory.errors import (
    ApiError,
    ConnectionLostError,
    NotFoundError,
    RateLimitedError,
    ServerError,
    TurrisError,
    UnauthorizedError,
    UnexpectedAnswerError,
)
from agency_directory.models import Agency, Agent, Invitation
from agency_directory.settings import Settings, SettingsError

__all__ = [
    "Agency",
    "AgencyDirectory",
    "Agent",
    "ApiError",
    "AsyncAgencyDirectory",
    "ConnectionLostError",
    "Invitation",
    "NotFoundError",
    "RateLimitedError",
    "ServerError",
    "Settings",
    "SettingsError",
    "TurrisError",
    "UnauthorizedError",
    "UnexpectedAnswerError",
]
