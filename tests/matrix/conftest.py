# A consumer's suite: it runs in environments of its own.
collect_ignore = ["consumer"]
