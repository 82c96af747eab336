"""Verdicts that are known to be wrong or missing for now; the aim is that this file goes away."""

ACCUSED = {
    "TC-67": "over a socket a call can be over when the cancellation comes",
}
"""Checks that accuse a correct client of something that it need not do, and why it need not."""

HANGING: dict[str,str] = {} 
HANGING_OLD = {
    "AsyncioTask": "TC-03 sees a second token request, which has to be explained",
    "DaemonThread": "only TC-01 to TC-54 were seen to pass",
    "TimerRefresh": "TC-42 takes long, which has to be explained",
}
"""Correct clients with work in the background, which are left out until that is settled."""

MISSED = {
    "CachedFactory": "not observed: new_client has to read the environment again",
    "ChmodTooLate": "the mode of a file while it is written",
    "DropsTokenOnLostConnection": "a lost connection, besides answers that are errors",
    "EachProcessRefreshes": "several processes that start at once, with one store",
    "FirstHeaderWins": "Retry-After later than X-RateLimit-Reset",
    "HostBySuffix": "a foreign host that ends like the API's",
    "LogsEncodedSecret": "a secret in base64",
    "SuppressesCancellation": "one cancellation that is suppressed around the refresh",
    "ReadsNetrcItself": "a .netrc entry in the body of the token request",
}
"""Bugs that the checks that should name them do not see yet, and what would have to be seen."""
