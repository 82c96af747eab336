"""What scanners for secrets report."""

import re

# The public rules of gitleaks and trufflehog for formats that can be told by themselves, in words
# of our own.
RULES = {
    "private key": r"-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY",
    "JWT": r"\bey[A-Za-z0-9]{17,}\.ey[A-Za-z0-9/\\_-]{17,}\.[A-Za-z0-9/\\_-]{10,}",
    "AWS key": r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    "GitHub token": r"\b(?:gh[opusr]_[0-9a-zA-Z]{36}|github_pat_\w{82})",
    "GitLab token": r"\bglpat-[\w-]{20}",
    "Slack token": r"\bxox[abeoprs]-[\w-]{10,}|hooks\.slack\.com/services/\w",
    "Stripe key": r"\b(?:sk|rk)_(?:test|live|prod)_[a-zA-Z0-9]{10,99}",
    "Google key": r"\bAIza[\w-]{35}",
    "npm token": r"\bnpm_[a-zA-Z0-9]{36}",
    "PyPI token": r"\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}",
    "password in a URL": r"\w{3,}://[^\s:/{}$'\"]{3,20}:[^\s:@/{}$'\"]{3,40}@[\w.]+\.\w",
}


def hits(text: str) -> list[str]:
    """The rules that a text matches."""
    return [name for name, rule in RULES.items() if re.search(rule, text)]
