# SPDX-License-Identifier: Apache-2.0
"""Requests a second and latencies of an aiohttp handler that asks Redis, by C++ and by Python.

The server has a processor of its own; Redis and the load (wrk) share another one, if there are two. Needs
redis-server, wrk and redis-py; prints, decides nothing."""

import importlib.util
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
ROUNDS, SECONDS, CLIENTS = 3, 3, 64
LOOPS = "asyncio", "uvloop", "same-thread"
HANDLERS = "no Redis", "bridge", "redis-py", "to_thread"


def missing():
    programs = [name for name in ("redis-server", "wrk") if shutil.which(name) is None]
    modules = [name for name in ("aiohttp", "redis") if importlib.util.find_spec(name) is None]
    return programs + modules


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def started(words, processors, **options):
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, processors),
                            **options)


def wait_for(port):
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1)
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nobody listens at port {port}")


def start_redis(folder, processors):
    port = free_port()
    server = started(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
                     processors, stdout=subprocess.DEVNULL)
    with wait_for(port) as talk:
        talk.sendall(b"SET key value\r\n")
        if talk.recv(100) != b"+OK\r\n":
            sys.exit("redis-server does not take a value")
    return server, port


def milliseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def load(port, processors):
    """(requests a second, p50, p99 in ms)"""
    words = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s", "--latency", f"http://127.0.0.1:{port}/"]
    with started(words, processors, stdout=subprocess.PIPE, text=True) as run:
        said = run.stdout.read()
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(said)
    percent = {which: milliseconds(re.search(rf"{which}%\s+(\S+)", said).group(1)) for which in (50, 99)}
    return float(re.search(r"Requests/sec:\s+(\S+)", said).group(1)), percent[50], percent[99]


def one_round(loop, handler, redis_port, processors):
    words = [sys.executable, str(HERE / "server.py"), loop, handler, str(redis_port)]
    server = started(words, processors[:1], stdout=subprocess.PIPE, text=True)
    try:
        port = int(server.stdout.readline())
        return load(port, processors[1:] or processors)
    finally:
        server.kill()
        server.wait()


def measure(redis_port, processors):
    taken = {}
    for _ in range(ROUNDS):
        for loop in LOOPS:
            if loop == "uvloop" and importlib.util.find_spec("uvloop") is None:
                continue
            for handler in HANDLERS:
                taken.setdefault((handler, loop), []).append(one_round(loop, handler, redis_port, processors))
    return taken


def main():
    if missing():
        print(f"bench: without the end-to-end rows: there is no {', '.join(missing())}")
        return
    processors = sorted(os.sched_getaffinity(0))[:2]
    with tempfile.TemporaryDirectory() as folder:
        redis, port = start_redis(folder, processors[1:] or processors)
        try:
            taken = measure(port, processors)
        finally:
            redis.kill()
            redis.wait()
    print(f"\nend to end: aiohttp asks Redis, {CLIENTS} connections: median of {ROUNDS} (least..most)")
    print(f"{'handler':10} {'loop':12} {'requests/s':28} {'p50, ms':>8} {'p99, ms':>8}")
    for (handler, loop), rounds in taken.items():
        rates, p50, p99 = zip(*rounds)
        rate = f"{statistics.median(rates):,.0f} ({min(rates):,.0f}..{max(rates):,.0f})"
        print(f"{handler:10} {loop:12} {rate:28} {statistics.median(p50):8.2f} {statistics.median(p99):8.2f}", flush=True)


if __name__ == "__main__":
    main()
