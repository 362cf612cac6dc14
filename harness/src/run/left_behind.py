# SPDX-License-Identifier: Apache-2.0
"""What a test leaves behind."""

import _signal  # signal's own makes enum's members of what this gives, which takes most of its time
import contextlib
import fcntl
import fnmatch
import functools
import gc
import io
import os
import signal
import socket
import sys
import threading
import time
import weakref

_DRAIN = 0.2  # what a test started may end by itself for so long
_POLL = 0.005


class Generators:
    """The async generators that were begun in the loop."""

    def __init__(self):
        self.begun = weakref.WeakSet()

    def attach(self):
        """In the running loop: its own hooks are set when it starts to run."""
        first, last = sys.get_asyncgen_hooks()

        def begin(generator):
            self.note(generator)
            if first is not None:
                first(generator)

        sys.set_asyncgen_hooks(begin, last)

    def note(self, generator):
        self.begun.add(generator)

    def forget(self, generator):
        self.begun.discard(generator)

    def left(self):
        return [g for g in list(self.begun) if g.ag_frame is not None]


def _open_descriptors():
    """Their numbers; none where the system does not tell."""
    try:
        numbers = {int(one) for one in os.listdir("/proc/self/fd")}
        listing = os.open("/", os.O_RDONLY | os.O_CLOEXEC)  # the lowest that is free, as that of the listing was
    except OSError:
        return set()
    os.close(listing)
    numbers.discard(listing)
    return numbers


def _name_descriptors(numbers):
    """number -> what it is, of those that are still open."""
    found = {}
    for number in numbers:
        with contextlib.suppress(OSError):
            found[number] = os.readlink(f"/proc/self/fd/{number}")
    return found


def _describe_address(address):
    if isinstance(address, tuple) and len(address) >= 2:
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
    return repr(address) if address else "no name"


def _describe_socket(number):
    """Its kind and addresses, as "TCP 127.0.0.1:80, listening"; nothing if it is none."""
    with contextlib.suppress(OSError, ValueError), socket.socket(fileno=os.dup(number)) as one:
        inet = one.family in (socket.AF_INET, socket.AF_INET6)
        kinds = {socket.SOCK_STREAM: "TCP", socket.SOCK_DGRAM: "UDP"} if inet else {}
        family = getattr(one.family, "name", f"family {one.family}").removeprefix("AF_").lower()
        text = f"{kinds.get(one.type, family)} {_describe_address(one.getsockname())}"
        with contextlib.suppress(OSError):
            return f"{text}, connected to {_describe_address(one.getpeername())}"
        with contextlib.suppress(OSError):
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return f"{text}, listening"
        return text
    return ""


def _owner_of(number):
    """The Python object that has it open, if one has: "held by <socket.socket ...>"."""
    for one in gc.get_objects():
        with contextlib.suppress(Exception):
            if isinstance(one, (socket.socket, io.RawIOBase)) and one.fileno() == number:
                return f"held by {one!r}"
    return ""


def _describe_descriptor(number, what):
    more = _describe_socket(number) if what.startswith("socket:") else ""
    if what == "anon_inode:[eventfd]":
        more = "an event of a loop that is kept alive, or of the test's own"
    said = ", ".join(one for one in (more, _owner_of(number)) if one)
    return f"descriptor {number} is still open: {what}" + (f" ({said})" if said else "")


_STANDARD = {0: "input", 1: "output", 2: "error output"}
_kept_standard = None  # their duplicates, far away, from the first test's beginning on


def _keep_standard():
    global _kept_standard
    if _kept_standard is not None:  # what has such a number later may be a test's
        return
    _kept_standard = {}
    for number in _STANDARD:
        for least in (1000, 200, 10):
            with contextlib.suppress(OSError):  # it is not open, or there is no room
                _kept_standard[number] = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, least)
                break


def put_back_standard():
    """Else a later test's file has the number of one that a test has closed, and is taken for it."""
    for number, kept in (_kept_standard or {}).items():
        try:
            fcntl.fcntl(number, fcntl.F_GETFD)
        except OSError:
            with contextlib.suppress(OSError):
                if (got := fcntl.fcntl(kept, fcntl.F_DUPFD, number)) != number:  # a thread was quicker
                    os.close(got)


def forget_standard():
    """A fork's are others."""
    global _kept_standard
    for kept in (_kept_standard or {}).values():
        with contextlib.suppress(OSError):
            os.close(kept)
    _kept_standard = None


_OF_ANY_KIND = 0x40000000  # __WALL: of clone(), too, whatever signal tells of their end


def _child_processes():
    """number -> name; nothing where the system does not tell."""
    found = {}
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT | _OF_ANY_KIND)
    except ChildProcessError:
        return found
    except (OSError, AttributeError):  # a system that does not know this
        pass
    with contextlib.suppress(OSError):
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/children") as children:
                found.update((int(number), _name_of_process(number)) for number in children.read().split())
    return found


def _name_of_process(number):
    with contextlib.suppress(OSError), open(f"/proc/{number}/comm", errors="replace") as name:
        return name.read().strip()
    return "?"


def _has_ended(number):
    """Whether nobody has waited for a child that has ended."""
    with contextlib.suppress(OSError), open(f"/proc/{number}/stat", errors="replace") as status:
        return status.read().rpartition(")")[2].split()[0] == "Z"
    return False


class Surroundings:
    """What was there before the test, outside of its loop; what is more after it, or other, is noted."""

    def __init__(self, native):
        self.native = native
        self.threads = set(threading.enumerate())
        _keep_standard()
        self.descriptors = _open_descriptors()
        self.children = _child_processes()
        self.handlers = self._signal_handlers()

    def _signal_handlers(self):
        """C's and Python's: asyncio and Asio set either."""
        handlers = self.native.signal_handlers()
        return {one: (address, _signal.getsignal(one)) for one, address in handlers.items()}

    def note_what_is_left(self, note, leaks):
        deadline = time.monotonic() + _DRAIN
        while (left := self._what_is_left()) and time.monotonic() < deadline:
            time.sleep(_POLL)  # native threads close theirs when they get to it
        for kind, name, text in left:
            if not leaks.is_ignored(kind, name):
                note(text() if callable(text) else text)

    def _what_is_left(self):
        threads = [
            ("thread", one.name, f"the Python thread {one.name!r} is still alive")
            for one in threading.enumerate()
            if one not in self.threads
        ]
        now = _open_descriptors()
        descriptors = [
            ("descriptor", what, functools.partial(_describe_descriptor, number, what))
            for number, what in _name_descriptors(sorted(now - self.descriptors)).items()
        ]
        closed = [
            ("descriptor", name, f"the standard {name} (descriptor {number}) is closed, and was open before the test")
            for number, name in _STANDARD.items()
            if now and number in self.descriptors and number not in now
        ]
        return threads + descriptors + closed + self._children_that_are_left() + self._changed_handlers()

    def _children_that_are_left(self):
        state = {False: "still runs", True: "has ended, but nobody has waited for it"}
        return [
            ("child", name, f"the child process {number} ({name}) {state[_has_ended(number)]}")
            for number, name in _child_processes().items()
            if number not in self.children
        ]

    def _changed_handlers(self):
        names = [
            signal.Signals(one).name
            for one, handler in self._signal_handlers().items()
            if handler != self.handlers.get(one)
        ]
        return [("signal", name, f"the handler of {name} is not what it was before") for name in names]


def name_of(coroutine):
    return getattr(coroutine, "__qualname__", None) or type(coroutine).__name__


def describe_task(task):
    frames = task.get_stack(limit=1)
    where = f" at {frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else ""
    coroutine = task.get_coro()
    text = f"task {task.get_name()!r} was still pending: coroutine {name_of(coroutine)!r}{where}"
    for file, line, function in (getattr(coroutine, "cr_origin", None) or ())[:1]:
        text += f", made at {file}:{line} in {function}"
    return text + "; await it, or cancel it and await it"


def describe_native(count, places):
    text = f"native work was still pending: {count} operation(s) of the loop"
    return "\n  ".join([text, *places, "await it, or cancel it and await it"])


def describe_coroutine(text):
    return f"a C++ coroutine that nobody awaits still waits: {text}; await it, or cancel it before the test ends"


def describe_reference(text):
    return f"a bridge::py_ref is kept: {text}; reset it before the test ends"


class Leaks:
    """What a test left behind: told, or counted if the test's patterns have it."""

    def __init__(self, report, note, patterns):
        self.report = report
        self.note = note
        self.patterns = patterns
        self.ignored = []
        self.has_found = False

    def is_ignored(self, kind, name):
        what = f"{kind}:{name}"
        for pattern in self.patterns:
            if fnmatch.fnmatchcase(what, pattern) or pattern == kind:
                self.ignored.append(what)
                return True
        return False

    def fail(self, kind, name, message):
        self.has_found = True
        if not self.is_ignored(kind, name):
            self.report("leak", message)

    def fail_generator(self, generator):
        name = name_of(generator)
        frame = generator.ag_frame
        where = f": it stands at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
        self.fail("generator", name, f"async generator {name!r} was not closed{where}; await its aclose(), as contextlib.aclosing does")

    def end(self):
        if self.ignored:
            self.note(f"{len(self.ignored)} leak(s) ignored: {', '.join(self.ignored)}")
