"""A child process says what it got by its environment."""

import os
import subprocess


def show(secret):
    subprocess.run(["sh", "-c", "echo $S"], env={**os.environ, "S": secret}, check=True)
