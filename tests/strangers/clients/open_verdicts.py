"""Verdicts that are known to be wrong or missing for now; the aim is that this file goes away."""

ACCUSED = {
    "TC-67": "over a socket a call can be over when the cancellation comes",
}
"""Checks that accuse a correct client of something that it need not do, and why it need not."""
