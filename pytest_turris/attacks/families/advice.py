"""Why an attack matters and how a receiver withstands it, where several attacks say the same."""

FORGED = "Anyone who can reach the endpoint can make it believe anything."
LOGS_FILL = "Anyone can fill the error log, and on a bare server stop the process."
CRASHED = "Anyone who finds such a body knows how to make the receiver fail."
LENIENT = (
    "It takes the right signature to make such a text, but two texts for one signature are two "
    "keys in a log, a cache or a list of seen webhooks."
)

CANONICAL = "Compare the text of the header with the expected text; do not decode it first."
HINT = "Take the webhook as a hint, and read the status from the API."
DONE_TWICE = "Delivery is at least once, and a captured webhook may stay valid: work is done twice."
ACTING_IS_NOTED = " To act on it is only noted (info)."
