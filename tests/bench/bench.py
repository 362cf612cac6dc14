# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmark and prints one table; decides nothing.

`bench.py [--processes N] [--rounds N] [--regimes pinned,two] [--folder FOLDER] [WORD...]`: words choose cases, as in
`bench.py P1 P3`. FOLDER gets bench.json, bench.md and bench.svg."""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys

import cases
import plot
import table

HERE = pathlib.Path(__file__).parent


GROUPS = ("P1", "P2", "P3", "P4"), ("P5",), ("P7",)  # what 100,000 in flight leave in the heap is not for others


def measured(regime, words, options):
    """One fresh process."""
    words = [sys.executable, str(HERE / "measure.py"), str(options.rounds), *words]
    processors = sorted(os.sched_getaffinity(0))
    chosen = processors[-1:] if regime == "pinned" else processors[:2]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                         preexec_fn=lambda: os.sched_setaffinity(0, chosen))
    return json.loads(run.stdout)


def in_fresh_processes(regime, options):
    """(rows, rows of the peers), group by group; the references are those of the first group."""
    rows, peers, seen = [], [], set()
    for words in (options.words,) if options.words else GROUPS:
        processes = [measured(regime, words, options) for _ in range(options.processes)]
        chosen = cases.chosen(words)
        rows += [row for row in table.make_rows(processes, chosen, regime) if row["case"] not in seen]
        peers += table.peer_rows(processes, chosen)
        seen |= {case.name for case in chosen}
    return rows, peers


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return {"processor": names[0] if names else platform.machine(), "processors": os.cpu_count(),
            "system": platform.freedesktop_os_release()["PRETTY_NAME"], "python": platform.python_version(),
            "versions": versions()}


def versions():
    built = os.environ.get("BENCH_VERSIONS", "")
    said = dict(one.split("=") for one in built.split(",") if one)
    for folder, package in (("async_runtimes", "pyo3-async-runtimes"), ("asyncio_0_20", "pyo3-asyncio")):
        said.update(locked(HERE / "peers" / folder / "Cargo.lock", package))
    try:
        import uvloop
        said["uvloop"] = uvloop.__version__
    except ImportError:
        pass
    return said


def locked(file, package):
    """What cargo chose."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return {package: lines[lines.index(f'name = "{package}"') + 1].split('"')[1]}


def options_of(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--regimes", default="pinned,two")
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("words", nargs="*")
    return parser.parse_args(words)


def main():
    options = options_of(sys.argv[1:])
    result = {"machine": machine(), "regimes": {}}
    texts = []
    for regime in options.regimes.split(","):
        rows, peers = in_fresh_processes(regime, options)
        result["regimes"][regime] = {"rows": rows, "peers": peers}
        shown, shown_peers = [table.show_row(row) for row in rows], [table.show_peer(row) for row in peers]
        print(f"\ncrossings, {table.REGIMES[regime]}\n{table.aligned(table.HEADS, shown)}")
        print(f"\npeers, {table.REGIMES[regime]}\n{table.aligned(table.PEER_HEADS, shown_peers)}", flush=True)
        texts += [f"## Crossings, {table.REGIMES[regime]}", table.page(rows),
                  f"## Peers, {table.REGIMES[regime]}", table.markdown(table.PEER_HEADS, shown_peers)]
    if options.folder:
        (options.folder / "bench.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        (options.folder / "bench.md").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
        (options.folder / "bench.svg").write_text(plot.draw(result), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
