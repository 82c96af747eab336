"""``turris-sandbox learn-signature``: how a real sender signs."""
