"""How the webhook of one step is sent, and what comes back."""
