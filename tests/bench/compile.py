# SPDX-License-Identifier: Apache-2.0
"""What a person waits for while the compiler works (P10, P11); prints, decides nothing.

`compile.py SOURCE_FOLDER BUILD_FOLDER COMPILER`. No cache is used. Processor time does not see what other programs
take; the bars are of the time that passes on two processors with nothing else to do."""

import json
import os
import pathlib
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE, BUILD, COMPILER = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
ROUNDS, TESTS, WIDTH = 5, 20, 58

PEER = "#include <boost/asio.hpp>\n#include <pybind11/pybind11.h>\n"
OURS = "#include <bridge/bridge.hpp>\n"
FUNCTION = "boost::asio::awaitable<int> one_more(int n) { co_return n + 1; }\n"


def with_harness():
    tests = (f"BRIDGE_TEST(test_{i}) {{\n    int n = co_await one_more({i});\n    BRIDGE_CHECK(n == {i + 1});\n"
             f"    BRIDGE_CHECK(co_await one_more(n) == {i + 2});\n}}\n" for i in range(TESTS))
    return "#include <bridge/harness/harness.hpp>\n" + FUNCTION + "".join(tests)


def without_harness():
    tests = (f"boost::asio::awaitable<void> test_{i}() {{\n    int n = co_await one_more({i});\n    check(n == {i + 1});\n"
             f"    check(co_await one_more(n) == {i + 2});\n}}\n" for i in range(TESTS))
    calls = "".join(f"    co_await test_{i}();\n" for i in range(TESTS))
    check = "void check(bool holds) { if (!holds) throw std::logic_error(\"failed\"); }\n"
    return (OURS + "#include <stdexcept>\n" + check + FUNCTION + "".join(tests)
            + f"boost::asio::awaitable<void> all() {{\n{calls}}}\nint main() {{ bridge::run(all()); }}\n")


def flags():
    """Where the headers are: as a test of the harness is compiled."""
    entries = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    command = next(one["command"] for one in entries if one["file"].endswith("many_tests.cpp"))
    words = shlex.split(command)
    found = []
    for i, word in enumerate(words):
        if word == "-isystem":
            found += [word, words[i + 1]]
        elif word.startswith(("-I", "-std=", "-D")):
            found.append(word)
    return found


def used(words, **options):
    """(seconds that passed, processor seconds)"""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           **options)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode != 0:
        sys.exit(f"{shlex.join(map(str, words))} ended with {ended.returncode}:\n{ended.stdout[-3000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def mark(value, bar):
    return "met" if value <= bar else "MISSED"


def compare(name, ours, other, bar):
    """Processor time of compiling the one, as a multiple of the other's, round by round."""
    with tempfile.TemporaryDirectory() as folder:
        words = [COMPILER, *flags(), "-g", "-c", "-o", os.devnull]
        files = pathlib.Path(folder, "ours.cpp"), pathlib.Path(folder, "other.cpp")
        for file, text in zip(files, (ours, other)):
            file.write_text(text, encoding="utf-8")
        taken = [[used([*words, file])[1] for file in files] for _ in range(ROUNDS + 1)][1:]
    ratio = statistics.median(one / two for one, two in taken)
    seconds = [statistics.median(side) for side in zip(*taken)]
    print(f"{name:{WIDTH}} {seconds[0]:6.2f} s of {seconds[1]:6.2f} s {ratio:6.2f}  <= {bar}  {mark(ratio, bar)}", flush=True)


def build(name, folder, targets, bar):
    environment = {**os.environ, "CCACHE_DISABLE": "1", "BRIDGE_LAUNCHER": ""}
    used(["cmake", "--preset", "release", "-B", folder, "-DBRIDGE_BUILD_TESTS=OFF", "-DBRIDGE_BUILD_EXAMPLES=OFF",
          "-DBRIDGE_BUILD_BENCH=OFF"], cwd=SOURCE, env=environment)
    used(["cmake", "--build", folder, "--target", "clean"], env=environment)
    wall, cpu = used(["cmake", "--build", folder, "-j2", "--target", *targets], env=environment)
    print(f"{name:{WIDTH}} {wall:6.1f} s by the clock, CPU {cpu:6.1f} s  <= {bar} s  {mark(wall, bar)}", flush=True)


def demo(bar):
    with tempfile.TemporaryDirectory() as folder:
        used(["git", "clone", "--quiet", SOURCE, folder])
        wall, cpu = used(["./dev", "demo"], cwd=folder, env={**os.environ, "CCACHE_DISABLE": "1"})
    print(f"{'P11 ./dev demo, a fresh clone':{WIDTH}} {wall:6.1f} s by the clock, CPU {cpu:6.1f} s  <= {bar} s  "
          f"{mark(wall, bar)}", flush=True)


def main():
    print("what a person waits for: processor time of the compiler, and its multiple", flush=True)
    compare("P11 #include <bridge/bridge.hpp>, of pybind11's and Asio's", OURS, PEER, 1.15)
    compare(f"P10 a file of {TESTS} tests, of the same without the harness", with_harness(), without_harness(), 1.2)
    with tempfile.TemporaryDirectory() as folder:
        build("P11 the library, from nothing", folder, ["bridge"], 45)
        build("P11 library and runner, from nothing", folder, ["bridge", "bridge_test"], 100)
    demo(150)


if __name__ == "__main__":
    main()
