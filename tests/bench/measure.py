# SPDX-License-Identifier: Apache-2.0
"""One process of the benchmark: every case and every peer, round by round, on every loop.

`measure.py ROUNDS [WORD...]` writes JSON: [wall, CPU] in nanoseconds an operation, a pair for each round."""

import asyncio
import gc
import json
import os
import sys
import time

import bridge_asyncio
import cases
import peer_bodies

PEERS_LOOPS = "asyncio", "uvloop"


def new_loops():
    loops = {"asyncio": asyncio.new_event_loop(), "same-thread": bridge_asyncio.new_event_loop()}
    try:
        import uvloop
    except ImportError:
        print("bench: without uvloop: it is not installed", file=sys.stderr)
    else:
        loops["uvloop"] = uvloop.new_event_loop()
    return loops


async def timed(count, body):
    gc.collect()
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    await body(count)
    return [(time.perf_counter_ns() - wall) / count, (time.process_time_ns() - cpu) / count]


def runs_of(chosen):
    """(name, count, body, loops) of what is timed; the peers right behind the case that they are compared with."""
    peers = peer_bodies.find()
    asked = set()
    for case in chosen:
        yield case.name, case.count, case.body, cases.LOOPS
        if case.operation in asked:
            continue
        asked.add(case.operation)
        for peer, bodies in peers.items():
            if case.operation in bodies:
                yield f"{peer}: {case.operation}", *bodies[case.operation], PEERS_LOOPS


def measure(rounds, chosen):
    loops = new_loops()
    taken = {}
    runs = list(runs_of(chosen))
    for round_number in range(rounds + 1):
        for name, count, body, loop_names in runs:
            for loop_name in filter(loops.get, loop_names):
                one = loops[loop_name].run_until_complete(timed(count, body))
                if round_number > 0:  # the first one warms up
                    taken.setdefault(name, {}).setdefault(loop_name, []).append(one)
    return taken


def main():
    json.dump(measure(int(sys.argv[1]), cases.chosen(sys.argv[2:])), sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # the peers abort a Python that ends


if __name__ == "__main__":
    main()
