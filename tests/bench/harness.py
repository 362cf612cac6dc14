# SPDX-License-Identifier: Apache-2.0
"""What listing, isolation and the runner cost (P9); prints, decides nothing.

One more test is the difference between a long and a short run, by the number of tests between them:
starting the runner, the binary and Python is in both.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

RUNNER, TESTS = sys.argv[1:3]
ROUNDS = 5
WIDTH = 58


def started(words, count, folder):
    environment = {**os.environ, "BENCH_TESTS": str(count), "XDG_CACHE_HOME": folder}
    return subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, cwd=folder)


def own_cpu(pid):
    """Seconds of a process that has ended and is not collected, without its children; Linux."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        user, system = file.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run(words, count):
    """Seconds by the clock, of the runner's CPU, and of all CPU."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        process = started(words, count, folder)
        text = process.stdout.read().decode()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        clock = time.perf_counter() - begun
        own = own_cpu(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{words} ended with {process.returncode}:\n{text[-2000:]}")
        return clock, own, used.ru_utime + used.ru_stime, text


def one_more(mode, few, many):
    """Median of the milliseconds that one more test takes, and of its CPU."""
    words = [RUNNER, TESTS, "-j1", "-q", "--isolation", mode]
    clocks, cpus = [], []
    for _ in range(ROUNDS):
        short, long = run(words, few), run(words, many)
        clocks.append((long[0] - short[0]) / (many - few) * 1000)
        cpus.append((long[2] - short[2]) / (many - few) * 1000)
    return statistics.median(clocks), statistics.median(cpus)


def show(name, value, bar, more=""):
    print(f"{name:{WIDTH}} {value:9.3f} {bar:12} {more}".rstrip(), flush=True)


def main():
    print(f"{'harness and runner':{WIDTH}} {'ms':>9} {'(bar)':12}")
    listing = [TESTS, "--list", "--format", "json"]
    show("P9 list 1,000 tests", statistics.median(run(listing, 1000)[0] for _ in range(21)) * 1000, "(<= 5)")
    costs = {}
    for mode, few, many, bar in (("fork", 10, 110, "(<= 5)"), ("batch", 10, 510, "(<= 1)"), ("process", 5, 25, "")):
        clock, costs[mode] = one_more(mode, few, many)
        show(f"P9 one more async test, {mode}", clock, bar, f"CPU {costs[mode]:.3f}")
    _, own, all_cpu, text = run([RUNNER, TESTS, "-q", "--isolation", "fork"], 10000)
    (said,) = re.findall(r"10000 tests run: 10000 passed", text)
    each = own / 10000 * 1000
    show(f"P9 runner's CPU a test, {said}", each, "")
    print(f"{'P9 of a test in a process of its own':{WIDTH}} {each / costs['process'] * 100:8.2f}% (<= 2 %)")
    print(f"{'   of the whole run, which forks':{WIDTH}} {own / all_cpu * 100:8.2f}%")


if __name__ == "__main__":
    main()
