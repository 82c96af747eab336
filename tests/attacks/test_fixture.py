"""``turris_webhook_attack`` and ``turris_webhooks.attack`` in a consumer's project."""

import subprocess
import sys

import pytest
from doubles.attacked_project import run

from pytest_turris.attacks.catalogue import ATTACKS, find_attack, profile
from pytest_turris.core.sandbox import Sandbox
from pytest_turris.fixtures.webhooks import TurrisWebhooks

IMPORTS = ("import pytest", "from receiver import verify, believe, done")
ATTACK = "def test_receiver(turris_webhook_attack):"
OBSERVED = "    turris_webhook_attack.run(verify, effects=lambda: len(done))"


def test_one_test_for_each_attack_of_the_quick_profile(pytester: pytest.Pytester) -> None:
    """The quick profile is less than 50 tests, whose ids name the attack."""
    result = run(pytester, *IMPORTS, ATTACK, "    pytest.skip()", args=("-v",))
    result.assert_outcomes(skipped=len(profile("quick")))
    assert 30 <= len(profile("quick")) < 50
    result.stdout.fnmatch_lines(["*::test_receiver[[]WH-05-wrong-same-length[]] SKIPPED*"])


@pytest.mark.parametrize("how", ["ini", "marker"])
def test_full_profile_by_option(pytester: pytest.Pytester, how: str) -> None:
    """The option chooses the profile, from the ini file or a marker."""
    mark = "@pytest.mark.turris(attack_profile='full')" if how == "marker" else ""
    args = ("-o", "turris_attack_profile=full") if how == "ini" else ()
    result = run(pytester, *IMPORTS, mark, ATTACK, "    pytest.skip()", args=args)
    result.assert_outcomes(skipped=len(ATTACKS))


def test_without_a_probe_nothing_passes(pytester: pytest.Pytester) -> None:
    """Without ``effects`` a test is skipped, as not observed; with it, it passes."""
    line = "    turris_webhook_attack.run(verify)"
    result = run(pytester, *IMPORTS, ATTACK, line, args=("-rs", "-k", "WH-02"))
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * WH-02 is not observed: *effects=..."])
    assert result.ret == 0
    run(pytester, *IMPORTS, ATTACK, OBSERVED, args=("-k", "WH-02")).assert_outcomes(passed=1)


def test_failure_says_what_to_do(pytester: pytest.Pytester) -> None:
    """A failure has what was sent, got and expected, why, a fix and a page; no key."""
    lines = (
        "def test_receiver(turris_webhook_attack, turris):",
        "    print('KEY', turris.webhook_secret[-4:])",
        "    turris_webhook_attack.run(believe)",
    )
    result = run(pytester, *IMPORTS, *lines, args=("-k", "WH-02"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*WH-02-missing-header: failed (must)",
            "*  check:     Leaves the signature header out.",
            "*  sent:      POST / *bytes",
            "*  got:       204",
            "*  expected:  4xx [[]status[]]",
            "*  why:       *",
            "*  fix:       *",
            "*  more:      https://*/attacks/signature.html#wh-02-missing-header",
            "*  explain:   turris-sandbox explain WH-02",
            '*  ignore:    @pytest.mark.turris(ignore={"WH-02": "why this is fine"})',
        ]
    )
    assert "turris_sandbox_secret_" not in result.stdout.str()


def test_failure_of_a_receiver_tells_no_exchanges(pytester: pytest.Pytester) -> None:
    """That no request reached the sandbox is no news where webhooks are sent."""
    for line in ("turris_webhook_attack.run(believe)", "turris_webhooks.missing"):
        test = f"def test_receiver({line.partition('.')[0]}):"
        result = run(pytester, *IMPORTS, test, f"    {line}", args=("-k", "WH-02 or receiver"))
        assert result.ret == 1
        result.stdout.no_fnmatch_line("*turris exchanges*")


def test_ignored_attack_is_shown_with_its_reason(pytester: pytest.Pytester) -> None:
    """An ignored attack is skipped, and the summary has the reason; rules may be named too."""
    mark = "@pytest.mark.turris(ignore={'WH-02': 'the proxy does it', 'TC-05': 'not here'})"
    result = run(
        pytester, *IMPORTS, mark, ATTACK, "    turris_webhook_attack.run(believe)",
        args=("-k", "WH-02"),
    )  # fmt: skip
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*turris: WH-02-missing-header: ignored*", "the proxy does it"])


def test_attack_is_ignored_by_a_call(pytester: pytest.Pytester) -> None:
    """``ignore`` does what the marker does, for one attack of many."""
    result = run(
        pytester, *IMPORTS, ATTACK,
        "    turris_webhook_attack.ignore('WH-02', reason='the proxy does it')",
        "    turris_webhook_attack.run(verify, effects=lambda: len(done))",
        args=("-rs", "-k", "WH-02 or WH-03"),
    )  # fmt: skip
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*WH-02 is ignored: the proxy does it*"])


def test_should_warns(pytester: pytest.Pytester) -> None:
    """What a receiver should withstand is a warning."""
    result = run(
        pytester, *IMPORTS, ATTACK,
        "    turris_webhook_attack.run(verify)", args=("-k", "WH-97", "-W", "default"),
    )  # fmt: skip
    result.stdout.fnmatch_lines(["*CheckWarning: WH-97-content-type: warned*"])
    assert result.ret == 0


def test_what_a_scheme_has_no_meaning_for_is_skipped(pytester: pytest.Pytester) -> None:
    """Attacks follow the scheme in force, and say why they do not apply."""
    result = run(
        pytester, *IMPORTS, ATTACK, OBSERVED.replace("verify", "believe"),
        args=("-k", "WH-51", "-o", "turris_signature_signs=payload", "-rs"),
    )  # fmt: skip
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*the scheme signs the payload alone*"])


def test_catalogue_is_not_loaded_unless_asked_for() -> None:
    """A run without the fixture loads no attack."""
    code = (
        "import sys, pytest_turris.plugin;"
        "print([name for name in sys.modules if 'attacks' in name or 'verify_webhooks' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_single_attack_as_a_webhook() -> None:
    """``attack`` gives one hostile webhook to send oneself, or says why it cannot."""
    webhooks = TurrisWebhooks.of(Sandbox(name="single"))
    webhook = webhooks.attack("WH-28")
    names = [name for name, _ in webhook.header_lines]
    assert names.count("X-Turris-Signature") == 2
    assert webhooks.attack("WH-05", 1).body != webhooks.attack("WH-05", 0).body
    for id_, words in (
        ("WH-69", "not only a webhook"),
        ("WH-96", "not only a webhook"),
        ("WH-60", "with_keys"),
        ("WH-39", "no attack"),
    ):
        with pytest.raises(ValueError, match=words):
            webhooks.attack(id_)
    for variant in (3, -1):
        with pytest.raises(ValueError, match=f"no variant {variant}: it has 3, counted from 0"):
            webhooks.attack("WH-05", variant)


def test_every_attack_is_described() -> None:
    """Ids, names and texts are complete, and no id stands twice."""
    assert len({attack.id for attack in ATTACKS}) == len({a.title for a in ATTACKS}) == len(ATTACKS)
    for attack in ATTACKS:
        for text in (attack.does, attack.wants, attack.why, attack.fix):
            assert text.endswith("."), (attack.id, text)
        assert attack.source, attack.id
    numbers = {int(attack.id[3:]) for attack in ATTACKS}
    assert numbers == set(range(1, len(ATTACKS) + 2)) - {39}
    assert find_attack("WH-05").label == "WH-05-wrong-same-length"
