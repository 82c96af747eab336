"""A child process gets the secret by its environment, and its output is not passed on."""

import os
import subprocess


def show(secret):
    environment = {**os.environ, "S": secret}
    subprocess.run(["sh", "-c", "echo $S"], env=environment, capture_output=True, check=True)
