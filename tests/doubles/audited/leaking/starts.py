"""Lets another program do the work."""

import subprocess


def call(secret):
    subprocess.run(["true", f"--secret={secret}"], check=True)  # LK-07
