"""Gives the secret to the other program through its standard input."""

import subprocess


def call(secret):
    subprocess.run(["cat"], input=secret.encode(), stdout=subprocess.DEVNULL, check=True)
