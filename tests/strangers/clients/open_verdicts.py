"""Verdicts that are known to be wrong or missing for now; the aim is that this file goes away."""

ACCUSED = {
    "AR-32": "neither Turris nor RFC 6749 asks to go on with the old token",
    "TC-05": "earlier than needed is fine",
    "TC-07": "the client's own timeout is shorter than what is provoked",
    "TC-09": "earlier than needed is fine",
    "TC-10": "the provoked token was replaced before",
    "TC-11": "NaN is not JSON, so the answer may be refused",
    "TC-27": "the provoked token was not asked for",
    "TC-37": "the token request carries no token that .netrc could replace",
    "TC-41": "as AR-32",
    "TC-42": "one failing token request for each call of the application",
}
"""Checks that accuse a correct client of something that it need not do, and why it need not."""

HANGING = {
    "AsyncioTask": "a background task moves the clock by itself",
    "DaemonThread": "a background thread moves the clock by itself",
    "TimerRefresh": "a timer moves the clock by itself",
    "RequestsSession": "a streamed answer of requests does not end in process",
}
"""Correct clients that cannot be tested yet."""
