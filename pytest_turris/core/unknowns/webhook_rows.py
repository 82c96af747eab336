"""The rows about webhooks."""

from pytest_turris.core.unknowns.rows import Behaviour, row

WEBHOOK_ROWS: tuple[Behaviour, ...] = (
    # Webhooks
    row("webhooks", "Four events, their members and values", "documented", "guides/webhooks"),
    row("webhooks", "HMAC-SHA256 in `X-Turris-Signature`", "documented", "guides/webhooks",
        "signature_header"),
    row("webhooks", "Lower-case hex of the raw body, no prefix, no timestamp", "assumed", "-",
        "signature_encoding", "signature_prefix", "signature_timestamped", "signature_signs",
        "signature_scheme"),
    row("webhooks", "Neither an id nor a version is signed", "assumed", "-",
        "signature_id_header", "signature_timestamp_header", "signature_version",
        "signature_joint"),
    row("webhooks", "The header has one signature, not a list", "assumed", "-",
        "signature_list_separator"),
    row("webhooks", "The key is used as text, not decoded", "assumed", "-",
        "signature_key", "signature_key_prefix"),
    row("webhooks", "The key is the client secret, or a separate webhook secret", "disputed",
        "guides/webhooks; help centre: settings-webhook", "webhook_secret"),
    row("webhooks", "A receiver has 30 seconds to respond; 2xx is a success", "documented",
        "guides/webhooks"),
    row("webhooks", "A response has at most 64 KiB of head, interim responses included, and 8 MiB "
        "of body as it is sent; 1 MiB of that is read", "assumed", "-",
        no_option="it protects the sandbox; larger responses test nothing of a receiver"),
    row("webhooks", "Status events wait a minute after the last change, 30 minutes at most, and "
        "are consolidated; the others are sent at once", "documented", "guides/webhooks: event "
        "pages", "webhook_debounce"),
    row("webhooks", "Consolidated means the last status of each state of each product", "derived",
        "guides/webhooks: one consolidated webhook"),
    row("webhooks", "All changes of one type wait together", "assumed",
        "guides/webhooks: Event Debouncing & Batching, not visible", "webhook_batch"),
    row("webhooks", "A status that is there and back within the wait is sent", "assumed", "-",
        "webhook_reverted"),
    row("webhooks", "An agent without an agency is in no event; one at two agencies is in an entry "
        "for each", "derived",
        "guides/webhooks/agent-compliance-status-change: the association of the agent's agency"),
    row("webhooks", "`branchName` is text: empty for an agency that is not a branch", "derived",
        "changelog: plain string"),
    row("webhooks", "`producerCode` and `npn` in the two status events are `null` for an agency "
        "without one; `null` is documented for the code in `PRODUCER_AGREEMENT_EXECUTED` only",
        "assumed", "guides/webhooks: event pages",
        no_option="a test gives its agency a producer code and an NPN, or not"),
    row("webhooks", "Each registered webhook has one type, one URL and one secret; resends are "
        "manual",
        "documented", "help centre: settings-webhook"),
    row("webhooks", "Deliveries carry `User-Agent: Turris-Webhooks/1.0`", "assumed", "-",
        "webhook_user_agent"),
    row("webhooks", "No automatic retries", "assumed", "-", "webhook_retries"),
    row("webhooks", "No webhook is ever disabled, whatever its receiver answers", "assumed", "-",
        "webhook_gone_disables", "webhook_disable_after"),
    row("webhooks", "A receiver's `Retry-After` is ignored", "assumed", "-",
        "webhook_honours_retry_after"),
    row("webhooks", "A disabled webhook gets nothing until it is enabled, not even what was "
        "queued", "assumed", "-", "webhook_gone_disables", "webhook_disable_after"),
    row("webhooks", "A resend sends the same bytes with the same signature", "assumed", "-",
        no_option="a receiver must take either, as it must take a duplicate"),
    row("webhooks", "A test webhook is the documented example of its type, with some names that "
        "are not ASCII", "assumed",
        "guides/webhooks: test webhook feature",
        no_option="a test of a receiver builds its own events with `turris_webhooks`"),
    row("webhooks", "Operations to register, list, get, delete and enable webhooks, to list and "
        "resend deliveries, to test one, under `/v1/webhooks`: paths, names, statuses", "assumed",
        'guides/webhooks: "using our API"; the paths could not be read', "webhooks_path"),
    row("webhooks", "Only the answer to the registration contains the secret; it signs the "
        "deliveries of that webhook", "assumed", "help centre: settings-webhook",
        "webhook_secret"),
    row("webhooks", "A URL that is neither HTTPS nor `http://` on this machine is a 400",
        "assumed", "help centre: settings-webhook: HTTPS endpoints",
        no_option="HTTPS is documented, and a receiver on this machine is a test's"),
    row("webhooks", "A failed attempt keeps the status and the error message that the receiver "
        "answered", "documented", "help centre: settings-webhook"),
    row("webhooks", "Every attempt has `at`, `status`, `latency` in seconds and `error`, in which "
        "200 characters of the answer are kept, secrets masked; the last 1,000 attempts are kept",
        "assumed", "help centre: settings-webhook",
        no_option="names of the sandbox; `webhooks_path` moves these operations"),
    row("webhooks", "A resend and a test are queued, and sent by `turris_webhooks.drain()`, or by "
        "`turris-sandbox serve` at once", "assumed", "-",
        no_option="a test decides when it drains"),
    row("webhooks", "No idempotency keys; registering, deleting, enabling, resending and testing "
        "are writes", "assumed", "-",
        no_option="keys in these requests are ignored, as everywhere else"),
)  # fmt: skip
"""Webhooks, in the order of the docs page."""
