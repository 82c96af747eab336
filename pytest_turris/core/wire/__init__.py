"""HTTP as the core sees it: messages, errors, models and validation."""
