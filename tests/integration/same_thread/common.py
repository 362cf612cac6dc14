# SPDX-License-Identifier: Apache-2.0
"""Programs on the same-thread loop."""

import asyncio
import subprocess
import sys

import bridge_asyncio

DEADLINE = 120


def run(main, **options):
    async def bounded():
        return await asyncio.wait_for(main, DEADLINE)

    return bridge_asyncio.run(bounded(), **options)


def program(text, *, timeout=DEADLINE):
    """A Python of its own."""
    head = "import asyncio, os, signal, sys, threading, time\nimport bridge_asyncio\nimport same_thread_native as native\n"
    return subprocess.run([sys.executable, "-c", head + text], capture_output=True, text=True, timeout=timeout)
