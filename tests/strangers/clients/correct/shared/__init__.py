"""An in-house library that several of the teams share: answers, pauses, settings."""
