"""From events to what is sent to webhooks: when, in which batch, with which payload."""
