# SPDX-License-Identifier: Apache-2.0
"""What bridge-test must make of each broken test and of each broken program.

One row: the label on the terminal, a pattern for the message, and what else is particular. The exit
code is 0 for PASS and SKIP, 1 for all other labels, 10 for a program that cannot be listed.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    label: str  # PASS, FAIL, SKIP, TIMEOUT, CRASH
    message: str = ""  # a pattern for what the report says about it
    output: str = ""  # a pattern for what is kept of its output
    place: str = ""  # a pattern for where its process ended, if that can be known
    details: str = ""  # a further pattern for the same, anywhere in the report
    ctest: bool = True  # whether CTest may run it, and must agree
    at_exit: bool = False  # it goes wrong when its process ends: in a batch, after other tests
    spoils_its_process: bool = False  # for the tests that follow in a batch
    leaves_processes: bool = False  # which live as long as the batch, and are not noted there
    differs: str = ""  # why AddressSanitizer and UBSan say something else of it

    @property
    def code(self):
        return 0 if self.label in ("PASS", "SKIP") else 1


# Where it was is not known.
NO_HANDLER = "note: where it was is not known, as the harness did not get the signal.*gdb --args"
NO_EXIT = r"note: neither exit\(\) nor _exit\(\) was called: a system call ended it, or exec\(\)"
LAST_LINES = r"(\S+/corpus\.hpp:\d+ in corpus::die_of, from )?\S+/ends\.cpp:\d+ in .*"


def crash(how, **more):
    return Case("CRASH", rf"its process ended with {how} before the test had finished", **more)


def early_exit(function, at):
    return crash(
        "exit code 1",
        place=rf"{function} was called at \S+/ends\.cpp:\d+ in {at}$" if at else rf"{function} was called$",
        output=rf"FAILED .*: {function} was called before the test had finished",
    )


def crash_by(function, how, test):
    lines = rf"\S+/corpus\.hpp:\d+ in corpus::die_of, from \S+/ends\.cpp:\d+ in {test}"
    return crash(how, place=rf"{function}\(\) was called at {lines}$")


def late(how, place=""):
    return Case("CRASH", rf"its process ended with {how} after the test had passed", at_exit=True, place=place)


def timeout(message=r"did not end within 300ms", **more):
    return Case("TIMEOUT", message, **more)


def fail(message, **more):
    return Case("FAIL", message, **more)


def left():
    return Case("PASS", "note: it left processes behind", leaves_processes=True)


# Under a sanitizer, which sees it first, this is its report and SIGABRT.
SEGV = r"signal (11 \(SIGSEGV\)|6 \(SIGABRT\))"
ABRT = r"signal 6 \(SIGABRT\)"

def crash_at(function, signal, **more):
    return crash(signal, place=rf"it was at \S+/ends\.cpp:\d+ in {function}", **more)


# A sanitizer has a report of its own.
def stacks(signal, name):
    ours = rf"Fatal {signal} \d+ \(.*\)\n *C\+\+ stack of thread \d+ \(.*\), innermost first:\n.*" \
           rf"C\+\+ stack of thread \d+.*Fatal Python error: {name}.*most recent call first"
    return rf"(?s){ours}|Sanitizer"


ENDS = {
    "segfaults": crash_by("raise", SEGV, "segfaults"),
    "reads_null": crash(SEGV, details=NO_HANDLER, differs="UBSan reports the null pointer and exits with 1"),
    "aborts": crash_at(
        "aborts", ABRT, output=stacks(r"signal 6 \(SIGABRT\) in thread", "Aborted"),
        differs="AddressSanitizer leaves SIGABRT to Python, and the harness leaves it to a sanitizer"),
    "crashes_on_a_native_thread": crash_at(
        "crashes_on_a_native_thread", SEGV, output=stacks(r"signal 11 \(SIGSEGV\) at address 0x10 in thread", "Segmentation fault")),
    "traps": crash_by("raise", r"signal 4 \(SIGILL\)", "traps"),
    "kills_itself": crash(
        r"signal 9 \(SIGKILL\)", place=r"kill\(\) was called at \S+/ends\.cpp:\d+ in kills_itself"),
    "terminates_itself": crash_by("raise", r"signal 15 \(SIGTERM\)", "terminates_itself"),
    "overflows_the_stack": crash(SEGV, details=NO_HANDLER),
    "overflows_the_stack_of_a_thread": crash_at(
        "recurse", SEGV, output=stacks(r"signal 11 \(SIGSEGV\) at address 0x\w+ in thread", "Segmentation fault")),
    "overflows_pythons_stack": fail("RecursionError: maximum recursion depth exceeded"),
    "frees_twice": crash_at("frees_twice", ABRT),
    "terminates": crash_at("terminates", ABRT),
    "throws_from_noexcept": crash_at("throw_unexpectedly", ABRT, output="not expected"),
    "throws_from_a_thread": crash_at("throws_from_a_thread", ABRT, output="nobody catches this"),
    "throws_from_a_handler": fail(
        "Exception escaped an Asio handler: std::runtime_error: escaped",
        details=r"\n *thrown at \S+/ends\.cpp:\d+ in throws_from_a_handler"),
    "throws_a_number": fail(
        r"exception: int: 42", details=r"\n *thrown at \S+/ends\.cpp:\d+ in throws_a_number"),
    "calls_a_pure_function": crash_at("base::call", ABRT, output="pure virtual"),
    "exits": early_exit(r"exit\(\)", "exits"),
    "exits_as_if_skipped": early_exit(r"exit\(\)", "exits_as_if_skipped"),
    "exits_at_once": early_exit(r"_exit\(\)", "exits_at_once"),
    "exits_at_once_as_if_skipped": early_exit(r"_exit\(\)", "exits_at_once_as_if_skipped"),
    "exits_by_the_standard": early_exit(r"_exit\(\)", "exits_by_the_standard"),
    "exits_quickly": early_exit(r"exit\(\)", "exits_quickly"),
    "exits_with_3": crash(
        "exit code 3", place=r"_exit\(\) was called at \S+/ends\.cpp:\d+ in exits_with_3$"),
    "exits_from_a_thread": early_exit(r"exit\(\)", "exits_from_a_thread"),
    "exits_from_python": crash("exit code 1", place=r"_exit\(\) was called at <string>:3 in f$"),
    "exits_from_a_sync_test": early_exit(r"_exit\(\)", "exits_from_a_sync_test"),
    # Out of the harness's sight: CTest sees the 0 and takes it for a pass.
    "exits_past_the_library": crash("exit code 0", details=NO_EXIT, ctest=False),
    "becomes_another_program": crash("exit code 0", details=NO_EXIT, ctest=False),
    "exits_by_sys_exit": fail("SystemExit: 0"),
    "is_interrupted": fail("KeyboardInterrupt"),
    "misses_a_module": fail(
        r"(?s)ModuleNotFoundError: No module named 'no_such_module'.*"
        r"note: Python 3\.\d+\.\d+ of .* looked for the module in \[.*VIRTUAL_ENV"),
    "closes_the_loop": fail("RuntimeError: Cannot close a running event loop"),
    "stops_the_loop": Case("PASS", r"note: the loop was stopped before the test had ended, as by loop\.stop\(\)"),
    "passes_then_segfaults": late(SEGV, rf"raise\(\) was called at {LAST_LINES}passes_then_segfaults"),
    "passes_then_hangs": timeout(
        r"the test had passed, but its process did not end within \d+ms", at_exit=True,
        place=r"it was at \S+/corpus\.hpp:\d+ in corpus::block"),
    "passes_then_exits_with_3": late("exit code 3", rf"_exit\(\) was called at {LAST_LINES}passes_then_exits_with_3"),
    "fails_then_segfaults": fail(
        rf"(?s)0 == 1.*note: after that its process ended with {SEGV}", at_exit=True,
        details=rf"raise\(\) was called at {LAST_LINES}fails_then_segfaults"),
    "fails_then_exits_with_0": fail("0 == 1"),
    "throws_in_its_last_destructor": fail(
        "thrown while it is torn down", details=r"\n *thrown at \S+/ends\.cpp:\d+ in "),
}

NOT_RETURNED = r"(?s)did not end within 300ms: its function has not returned.*was cancelled, and its function has not returned"
UNCANCELLED = "did not end within 300ms and could not be cancelled: the main thread "
HOLDS_THE_GIL = "holds the GIL and does not come back to its loop at "
HERE = r"\S+/hangs\.cpp:\d+ in "


def never_ends(waits, test):
    """With those that await it in turn, down to the test."""
    return timeout(rf"nobody has completed what it awaits at {waits}, awaited in {test} at \S+/\w+\.cpp:\d+")


def blocked(where, reason="is blocked at ", **more):
    return timeout(UNCANCELLED, details=re.escape(reason) + where, **more)


SLEEP = r"\S+/corpus\.hpp:\d+ in sleep"
PYTHON = r"<string>:\d+ in f, awaited in await_python at \S+/corpus\.hpp:\d+"

HANGS = {
    "awaits_for_ever": never_ends(SLEEP, "awaits_for_ever"),
    "awaits_python_for_ever": never_ends(PYTHON, "awaits_python_for_ever"),
    "ignores_cancellation": timeout(
        r"(?s)did not end within 300ms: nobody has completed what it awaits at <string>:\d+ in f.*was cancelled, and waits again at <string>:\d+ in f",
        output="<Task pending name='hangs.ignores_cancellation'"),
    "swallows_cancellation": never_ends(PYTHON, "swallows_cancellation"),
    "holds_the_gil": blocked(r"\S+/corpus\.hpp:\d+ in corpus::block, from \S+/hangs\.cpp:\d+ in holds_the_gil", HOLDS_THE_GIL),
    "locks_a_mutex_and_the_gil": blocked(HERE + "locks_a_mutex_and_the_gil", HOLDS_THE_GIL),
    "blocks": timeout(NOT_RETURNED, details=r"and is at \S+/corpus\.hpp:\d+ in corpus::block, from \S+/hangs\.cpp:\d+ in blocks"),
    "spins": timeout(NOT_RETURNED, details=rf"and is at {HERE}spins"),
    "blocks_the_loop": blocked("<string>:3 in f", output=r"File .*in f"),
    "spins_in_python": blocked("<string>:3 in f", HOLDS_THE_GIL, output=r"File .*in f"),
    "blocks_the_runtime": timeout(
        r"did not end within 300ms: a handler on its executor has not returned, ",
        details=r"has not returned, at \S+/corpus\.hpp:\d+ in corpus::block"),
    "joins_a_thread_that_stays": blocked("<string>:6 in f", output=r"in join"),
    "stops_itself": timeout("no result after|process did not end within"),
    "blocks_every_signal": timeout(NOT_RETURNED),
    "ignores_the_request_to_end": blocked(r"\S+/corpus\.hpp:\d+ in corpus::block, from \S+/hangs\.cpp:\d+ in ", HOLDS_THE_GIL),
    "hangs_while_a_thread_is_left": never_ends(SLEEP, "hangs_while_a_thread_is_left"),
}

LEAKS = {
    "a_task": fail("task 'orphan' was still pending: coroutine 'left_behind' .*; await it, or cancel it"),
    "a_generator": fail(r"async generator 'numbers' was not closed: .*; await its aclose\(\)"),
    "a_coroutine_never_awaited": fail("coroutine 'forgotten' was never awaited"),
    "native_work": fail(r"native work was still pending: 1 operation\(s\) .*\n.*waiting in sleep at \S+/corpus\.hpp:\d+.*\n *await it, or"),
    "a_python_thread": Case("PASS", "note: the Python thread 'left' is still alive"),
    "a_descriptor": Case("PASS", r"note: descriptor \d+ is still open: /dev/null"),
    "a_socket_of_the_loop": Case(
        "PASS", r"note: descriptor \d+ is still open: socket:\[\d+\] \(TCP 127\.0\.0\.1:\d+, listening, held by <socket\.socket "),
    "a_failing_callback": fail("ValueError: in a callback"),
    "a_failed_task": fail("ValueError: nobody asked"),
    "a_failed_thread": fail("ValueError: in a thread"),
    "a_failing_finalizer": fail("ValueError: in __del__"),
    "a_task_that_fails_in_its_tear_down": fail(
        r"(?s)was still pending.*background: the task 'Task-\d+' failed when it was cancelled: ValueError: in the tear-down"),
    "a_check_after_its_end": late(ABRT, r"it was at \S+/leaks\.cpp:\d+ in .*a_check_after_its_end"),
}

BYTES = r"\\x00\\x01.*\\xfe\\xff"

OUTPUT = {
    "floods": fail("flooded", output=r"(?s)\Athe first line\n.*bytes of output dropped.*the last line\n"),
    "is_one_long_line": fail("a long line", output="bytes of output dropped"),
    "writes_every_byte": fail("bytes", output=rf"(?s){BYTES}.*]]> </system-out>"),
    "fails_with_every_byte": fail(rf"(?s){BYTES}.*note: \\x00"),
    "skips_with_every_byte": Case("SKIP", rf"(?s){BYTES}"),
    "fails_ten_thousand_times": fail("more failures and notes were dropped"),
    "fails_with_a_huge_text": fail(r"zzzz\n\[\.\.\. 4868928 bytes dropped \.\.\.\]"),
    "looks_like_other_frameworks": Case("PASS"),
    "größe_ist_nicht_null": fail("2 == 3"),
    "closes_its_output": Case("PASS", r"note: the standard output \(descriptor 1\) is closed, and was open before"),
    "closes_its_output_and_fails": fail("nobody hears it"),
    "closes_the_events": Case("PASS"),
    "writes_into_the_events": fail("it is not so easy"),
    "closes_everything": crash(r"exit code 124", details="note: the harness ended it at its time-out, and could not say so"),
    "replaces_sys_stderr": fail("still told"),
    "a_name_of_four_thousand_characters_" + "x" * 3965: fail("a long name"),
}

PROCESSES = {
    "leaves_a_child_with_its_output": left(),
    "leaves_a_child_in_another_session": left(),
    "leaves_zombies": Case("PASS"),
    "leaves_a_stopped_child": Case("PASS"),
    "has_a_child_that_calls_exit": Case("PASS"),
    "has_a_child_that_calls_quick_exit": Case("PASS"),
    "has_a_child_that_crashes": Case("PASS"),
    "has_a_python_child": Case("PASS"),
    "removes_its_folder": Case("PASS"),
    "has_no_environment": Case("PASS"),
    "has_no_descriptors_left": fail(
        "Too many open files", spoils_its_process=True,
        differs="UBSan takes an object that it cannot read for none, and reads by a pipe, which needs descriptors"),
    # CTest starts tests in its own process group.
    "kills_its_group": crash(
        r"signal 9 \(SIGKILL\)", ctest=False, place=r"kill\(\) was called at \S+/processes\.cpp:\d+ in kills_its_group"),
}

FIXTURES = {
    "is_not_set_up": fail("in set_up: std::runtime_error: no database"),
    "is_not_torn_down": fail("in tear_down: std::runtime_error: cannot drop the tables"),
    "fails_and_is_not_torn_down": fail("(?s)1 == 2.*in tear_down: std::runtime_error: cannot drop"),
    "is_not_made": fail(
        "std::runtime_error: no memory for it", details=r"thrown at \S+/fixtures\.cpp:\d+ in \w+::\w+"),
    "hangs_after_its_body": timeout("did not end within 300ms: it was in tear_down"),
    "crashes_after_its_body": crash(ABRT, place=r"it was at \S+/fixtures\.cpp:\d+ in \S+::tear_down"),
    "hangs_and_is_torn_down": timeout("(?s)did not end within 300ms.*note: torn down"),
    "has_a_hostile_value/a%3Bb%20%5Bc%5D%20%22d%22%20%24e%20%60f%60%20%25g%0A%40": fail('CHECK'),
    "is_no_python": fail("SyntaxError"),
    "fails_as_it_should": Case("SKIP", "failed as expected: issue 12"),
    "passes_though_it_should_fail": fail(r"it passed, but xfail says that it fails \(issue 13\)"),
    "crashes_though_it_may_fail": crash(ABRT),
    "is_not_for_here": Case("SKIP", "not here"),
    "is_for_one_loop@same-thread": fail('"same-thread" == ""'),
}

OUTPUT_SUITE = 'output "<ünïcode>&" 測試'

# id -> Case; all of them are in the program `corpus`, which is linked to the harness.
TESTS = {
    f"{suite}.{name}": case
    for suite, cases in (
        ("ends", ENDS),
        ("hangs", HANGS),
        ("leaks", LEAKS),
        ("fixtures", FIXTURES),
        (OUTPUT_SUITE, OUTPUT),
        ("processes", PROCESSES),
    )
    for name, case in cases.items()
}

# How a program may answer when it is asked for its tests: what the report says. The first are
# FIXTURE_LISTING of the fixture `liar`, the others are files that the test makes.
LISTINGS = {
    "crash": "it crashed while listing its tests: signal 11",
    "hang": "it did not list its tests within 500ms",
    "babble": "it wrote more than 64 MiB",
    "exit": "(?s)it did not list its tests: exit code 3.*no such option: --list",
    "noise": "(?s)something else wrote to its standard output before the listing:.*a library's words",
    "garbage": "did not list its tests as a test binary does",
    "cut": "did not list its tests as a test binary does",
    "twice": "s.a",
    "version": "another version of the protocol",
    "silent": "it is not a test binary: it printed nothing",
}

FILES = {
    "missing interpreter": ("#!/no/such/interpreter\n", "No such file"),
    "no program at all": ("just text\n", "Exec format error"),
    "half a program": (b"\x7fELF\x02\x01\x01" + bytes(57), "Exec format error"),
    "a script that fails": ("#!/bin/sh\necho broken >&2\nexit 9\n", "(?s)exit code 9.*broken"),
}
