"""Verdicts that are known to be wrong or missing for now; the aim is that this file goes away."""

ACCUSED = {
    "AR-07": "the right data behind a false Content-Encoding do no harm; `from None` shows nothing",
    "AR-32": "neither Turris nor RFC 6749 asks to go on with the old token",
    "AR-37": "an error that is raised `from None` shows nothing of its context",
    "TC-02": "polls of threads that wait pass the time of a lock",
    "TC-03": "as TC-02",
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
}
"""Correct clients that cannot be tested yet."""

MISSED = {
    "BlockingTokenRequest": "a request of a sync library in a coroutine",
    "ChmodTooLate": "the mode of a file while it is written",
    "DropsTokenOnLostConnection": "a lost connection, besides answers that are errors",
    "EachProcessRefreshes": "several processes that start at once, with one store",
    "FirstHeaderWins": "Retry-After later than X-RateLimit-Reset",
    "HostBySuffix": "a foreign host that ends like the API's",
    "LogsEncodedSecret": "a secret in base64",
    "NoSizeLimit": "a list has no pages, so no size is too large",
    "ReadsNetrcItself": "a .netrc entry in the body of the token request",
    "SharesTheFirstCallersTask": "a caller that waits while another one is cancelled",
    "SuppressesCancellation": "a single cancellation, as task.cancel() makes it",
    "SwallowsCancellation": "a single cancellation, as task.cancel() makes it",
    "TokenInEnvironment": "a token in the environment",
    "TokenInUserAgent": "a token in another header than Authorization",
}
"""Bugs that the checks that should name them do not see yet, and what would have to be seen."""
