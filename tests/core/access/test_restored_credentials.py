"""What follows the credentials is told of those that a restore puts in their place."""

from pytest_turris.core.access.credential import ApiClient
from pytest_turris.core.sandbox import Sandbox


def test_a_restore_with_another_secret_is_a_rotation() -> None:
    """An environment file follows it; a restore with the same secret changes nothing."""
    sandbox, rotated = Sandbox(), list[ApiClient]()
    before = sandbox.snapshot()
    sandbox.credentials.rotate(sandbox.client)
    sandbox.credentials.on_rotate = rotated.append
    sandbox.restore(before)
    assert rotated == [sandbox.client]
    assert sandbox.client.client_secret == before["credentials"]["clients"][0]["client_secret"]
    sandbox.restore(before)
    assert rotated == [rotated[0]]
    sandbox.restore(Sandbox(name="another").snapshot())
    assert rotated[1] is sandbox.client
