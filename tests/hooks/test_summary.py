"""What the end of a run shows of checks that did not fail."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ALONE = ("-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:asyncio", "-W", "ignore")
PROJECT = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
import pytest
from doubles.clients.registry import BROKEN
from doubles.clients.stacks import SyncHttpx

@pytest.mark.turris(ignore={{"TC-05": "the gateway refreshes", "AR-35": "no cookies here"}})
def test_conforms(turris_token_case):
    client = SyncHttpx(BROKEN["TC-50"]())
    turris_token_case.run(client.call, write=client.write)

def test_copes(turris_hostile_answer):
    turris_hostile_answer.ignore("AR-35", reason="no cookies here")
    turris_hostile_answer.run(lambda: None)
"""


@pytest.mark.parametrize("workers", [(), ("-n", "1", "-p", "xdist")])
def test_noted_and_ignored_rules_are_shown(
    pytester: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    """A rule of level info that is broken passes, and is shown; so is what was ignored."""
    pytester.makepyfile(PROJECT)
    args = ("-k", "TC-50 or TC-05 or AR-35 or TC-47")
    result = pytester.runpytest_subprocess(*args, *ALONE, *workers)
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines_random(
        [
            "*turris: TC-50-a-lost-key-cache-causes-no-second-effect: noted*",
            "TC-50-a-lost-key-cache-causes-no-second-effect: noted (info)",
            "  got:       a write took effect 2 times: *",
            "*turris: TC-05-*: ignored*",
            "the gateway refreshes",
            "*turris: AR-35-*: ignored*",
            "no cookies here",
        ]
    )
    result.stdout.no_fnmatch_line("*turris: TC-47*")
