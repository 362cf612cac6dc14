# SPDX-License-Identifier: Apache-2.0
"""Where an operation's instructions go: callgrind counts two runs of different length, and the difference is theirs.

`instructions.py CASE COUNT` prints the instructions of one operation of that case in cases.py: of each part, and of the
functions that take most of them; and those that lock, which cost as much as twenty others. Counts are the same on a busy
machine. Needs valgrind and objdump, and for the names of functions a build whose modules are not stripped
(`cmake --preset release -DCMAKE_STRIP=`)."""

import argparse
import asyncio
import collections
import functools
import os
import re
import subprocess
import sys
import tempfile

PARTS = [  # the first whose pattern is found in "object:function"
    ("CPython: bytecode", r"_PyEval_EvalFrameDefault"),
    ("CPython: the GIL", r"take_gil|drop_gil|PyEval_(Save|Restore)Thread|pthread_(mutex|cond)|restore_thread"),
    ("thread-local look-ups", r"__tls_get_addr"),
    ("unwinding", r"libgcc_s|_Unwind|__cxa_|__gxx_personality|ld-linux|dl_iterate_phdr|_dl_find_object|rethrow"),
    ("memory", r"malloc|calloc|free\b|aligned_alloc|memalign|_Zn[wa]m|_Zd[la]Pv|operator (new|delete)|PyObject_(Malloc|Free)"
               r"|GC_(Del|New)|_PyObject_GC|PyType_GenericAlloc|take_memory|give_memory|thread_info_base|memset"),
    ("CPython: garbage collector", r"gc_collect|visit_|subtract_refs|move_|traverse"),
    ("the bridge and the benchmark", r"bench_crossings|:_?native|_native\."),
    ("CPython: the rest", r"python3|libpython|_asyncio"),
]


def run_case(name, count, loop_name):
    import bridge_asyncio
    import cases

    case = next(one for one in cases.CASES if one.name.startswith(name))
    new_loop = bridge_asyncio.new_event_loop if loop_name == "same-thread" else asyncio.new_event_loop
    new_loop().run_until_complete(case.body(count))
    os._exit(0)


def instructions(lines):
    """How often each was executed: of a file of callgrind's, by object, function and address."""
    names, executed = {}, collections.Counter()
    objects, function, skip, address = "", "", False, 0
    for line in lines:
        if match := re.match(r"(c?ob|c?fn|fl|fi|fe|cfi|cfl)=\((\d+)\)(?: (.*))?", line):
            kind, number, text = match.groups()
            space = "ob" if kind.endswith("ob") else "fn" if kind.endswith("fn") else "fl"
            text = names.setdefault((space, number), (text or "").strip())
            if kind == "ob":
                objects = text
            elif kind == "fn":
                function = text
        elif line.startswith("calls="):
            skip = True  # the next line is what that call took, with all below it
        elif line[:1] in "+-*0" and line[:1]:
            where, _, cost = line.split()
            address = next_address(address, where)
            if not skip:
                executed[objects, function, address] += int(cost)
            skip = False
    return executed


def next_address(before, where):
    """callgrind writes an address as itself, as the difference to the one before, or as * for the same."""
    if where == "*":
        return before
    number = int(where.lstrip("+-"), 0)
    return before + number if where[0] == "+" else before - number if where[0] == "-" else number


@functools.cache
def locking(objects):
    """The addresses of a file's instructions that lock."""
    if not os.path.exists(objects):
        return frozenset()
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", objects], stdout=subprocess.PIPE, text=True, check=True)
    found = re.finditer(r"^\s*([0-9a-f]+):\s+(?:lock |xchg .*\(|mfence)", code.stdout, re.MULTILINE)
    return frozenset(int(match[1], 16) for match in found)


def count_instructions(options, count):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--dump-instr=yes",
                        sys.executable, __file__, "--loop", options.loop, "--inside", options.case, str(count)],
                       check=True, stderr=subprocess.DEVNULL)
        with open(out) as lines:
            return instructions(lines)


def part_of(function):
    return next((name for name, pattern in PARTS if re.search(pattern, function)), "the rest")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", default="asyncio", choices=["asyncio", "same-thread"])
    parser.add_argument("--functions", type=int, default=30)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("case")
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    if options.inside:
        return run_case(options.case, options.count, options.loop)
    short, long = (count_instructions(options, options.count * times) for times in (1, 3))
    each, locks = collections.Counter(), collections.Counter()
    for (objects, function, address), times in long.items():
        cost = (times - short[objects, function, address]) / (2 * options.count)
        name = f"{os.path.basename(objects)}:{function}"
        each[name] += cost
        if cost > 0 and address in locking(objects):
            locks[name] += cost
    parts = collections.Counter()
    for name, cost in each.items():
        parts[part_of(name)] += cost
    print(f"{options.case}, {options.loop}: {sum(each.values()):,.0f} instructions an operation")
    for name, cost in parts.most_common():
        print(f"  {cost:8,.0f}  {name}")
    for what, counts in ("", each), (f"that lock: {sum(locks.values()):,.1f}", locks):
        print(what)
        for name, cost in counts.most_common(options.functions):
            print(f"  {cost:8,.1f}  {name[:150]}")


if __name__ == "__main__":
    main()
