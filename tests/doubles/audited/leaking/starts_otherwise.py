"""Starts other programs without the module subprocess, or with asyncio."""

import asyncio
import os


def in_a_shell(secret):
    os.system(f"true --secret={secret}")  # LK-07


def spawned(secret):
    os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", "true", secret], {}), 0)  # LK-07


def in_a_task(secret):
    async def main():
        process = await asyncio.create_subprocess_exec("true", secret)  # LK-07
        await process.wait()

    asyncio.run(main())
