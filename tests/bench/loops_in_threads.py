# SPDX-License-Identifier: Apache-2.0
"""What loops in several threads do beside each other, on a Python without a GIL. Prints, decides nothing.

`loops_in_threads.py [--awaits N] [--rounds N]`: each loop awaits N times. The best of the rounds counts, as other
programs only slow one down; the counts of loops take turns. The first row is what the machine gives to threads that
share nothing but the interpreter."""

import argparse
import asyncio
import os
import sys
import sysconfig
import threading
import time

import bench_crossings as native
import bridge_asyncio

COUNTS = 1, 2, 4
AT_ONCE = 4
WIDTH = 52


async def compute(count):
    for _ in range(count):
        sum(range(100))


async def one_after_the_other(function, count):
    for _ in range(count):
        await function()


async def four_at_once(function, count):
    for _ in range(count // AT_ONCE):
        await asyncio.gather(*(function() for _ in range(AT_ONCE)))


async def python_hop():
    await asyncio.sleep(0)


def own_runtime():
    runtime = native.Runtime()
    return lambda: native.hop_on(runtime)


# name, the loop, what gives a thread the function that it awaits, and how
KINDS = (
    ("Python that awaits nothing", asyncio.new_event_loop, lambda: None, lambda _, count: compute(count)),
    ("asyncio: sleep(0)", asyncio.new_event_loop, lambda: python_hop, one_after_the_other),
    ("asyncio: sleep(0), four tasks at once", asyncio.new_event_loop, lambda: python_hop, four_at_once),
    ("C++ that does not wait", asyncio.new_event_loop, lambda: native.ready, one_after_the_other),
    ("C++ that waits once, same-thread loop", bridge_asyncio.new_event_loop, lambda: native.hop, one_after_the_other),
    ("the same, four tasks at once", bridge_asyncio.new_event_loop, lambda: native.hop, four_at_once),
    ("the same, asyncio's loop and a runtime each", asyncio.new_event_loop, own_runtime, four_at_once),
    ("the same, asyncio's loop, one runtime for all", asyncio.new_event_loop, lambda: native.hop, four_at_once),
)


def run_loop(kind, awaits, start, times):
    _, make_loop, make_function, awaited = kind
    loop = make_loop()
    function = make_function()
    loop.run_until_complete(awaited(function, 20 * AT_ONCE))
    start.wait()
    began = time.perf_counter()
    loop.run_until_complete(awaited(function, awaits))
    times.append((began, time.perf_counter()))
    loop.close()


def measure(kind, count, awaits):
    """Awaits a second, and the processor time of each in microseconds."""
    start, times = threading.Barrier(count), []
    threads = [threading.Thread(target=run_loop, args=(kind, awaits, start, times)) for _ in range(count)]
    spent = time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.process_time() - spent
    took = max(end for _, end in times) - min(began for began, _ in times)
    return count * awaits / took, spent / (count * awaits) * 1e6


def show(kind, options):
    rates, costs = dict.fromkeys(COUNTS, 0), dict.fromkeys(COUNTS, float("inf"))
    for _ in range(options.rounds):
        for count in COUNTS:
            rate, cost = measure(kind, count, options.awaits)
            rates[count], costs[count] = max(rates[count], rate), min(costs[count], cost)
    each = " ".join(f"{rates[count]:10,.0f} {rates[count] / rates[1]:5.2f} {costs[count]:7.2f}" for count in COUNTS)
    print(f"{kind[0]:{WIDTH}} {each}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--awaits", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    gil = "no GIL" if sysconfig.get_config_var("Py_GIL_DISABLED") and not sys._is_gil_enabled() else "a GIL"
    print(f"loops in threads, Python with {gil}, {len(os.sched_getaffinity(0))} processors: "
          "awaits a second, times those of one loop, processor time of one in microseconds")
    print(f"{'':{WIDTH}} " + " ".join(f"{f'{count} loop' + 's' * (count > 1):>24}" for count in COUNTS))
    native.init(max(COUNTS))
    for kind in KINDS:
        show(kind, options)


if __name__ == "__main__":
    sys.exit(main())
