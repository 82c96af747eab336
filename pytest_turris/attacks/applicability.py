"""Whether an attack can be fired at all."""


class NotApplicable(Exception):  # noqa: N818 - nothing went wrong
    """The attack has no meaning here, or needs something that was not given; says what."""
