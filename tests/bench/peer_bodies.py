# SPDX-License-Identifier: Apache-2.0
"""The crossings as others do them; the names of the operations are those of cases.py."""

import asyncio
import importlib
import sys

from references import gathered, in_batches, in_tasks, noop, numbers


def one_after_the_other(one):
    async def body(count):
        for _ in range(count):
            await one()

    return body


def in_flight(native):
    async def body(count):
        futures = [native.park() for _ in range(count)]
        native.release()
        await asyncio.gather(*futures)

    return body


def cancelled(native):
    async def body(count):
        futures = [native.park() for _ in range(count)]
        for one in futures:
            one.cancel()
        await asyncio.gather(*futures, return_exceptions=True)
        while native.parked():  # what was dropped without a wait ends some time later
            await asyncio.sleep(0)
        native.release()

    return body


def forward(native):
    return {
        "ready": (2000, one_after_the_other(native.ready)),
        "suspend, 1 task": (2000, one_after_the_other(native.hop)),
        "suspend, 64 tasks": (6400, in_tasks(64, native.hop)),
        "gather": (10000, gathered(native.hop)),
    }


def of_rust(native):
    async def await_python(count):
        await native.await_python(noop, count)

    async def window(count):
        await native.await_window([noop() for _ in range(count)], 64)

    async def consume(count):
        assert await native.consume(numbers(count)) == count * (count - 1) // 2

    bodies = {
        **forward(native),
        "await Python": (2000, await_python),
        "await Python, window": (2000, window),
        "1,000 in flight": (5000, in_batches(1000, in_flight(native))),
        "cancel": (10000, cancelled(native)),
    }
    if hasattr(native, "consume"):
        bodies["stream in"] = (5000, consume)
    return bodies


def by_to_thread():
    def one():
        return asyncio.to_thread(int)

    return {
        "ready": (2000, one_after_the_other(one)),
        "suspend, 1 task": (2000, one_after_the_other(one)),
        "suspend, 64 tasks": (6400, in_tasks(64, one)),
        "gather": (10000, gathered(one)),
    }


RUST = {"pyo3-async-runtimes": "peer_async_runtimes", "pyo3-asyncio 0.20": "peer_asyncio_0_20"}


def find():
    """Each peer's bodies by operation: (count, body)."""
    peers = {}
    for name, module in RUST.items():
        try:
            peers[name] = of_rust(importlib.import_module(module))
        except ImportError as error:
            print(f"bench: without {name}: {error}", file=sys.stderr)
    peers["call_soon_threadsafe by hand"] = forward(importlib.import_module("bench_by_hand"))
    peers["asyncio.to_thread"] = by_to_thread()
    return peers
