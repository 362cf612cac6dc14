# SPDX-License-Identifier: Apache-2.0
"""One test in a fresh event loop, what it left behind and what went wrong beside it."""

import asyncio
import atexit
import contextlib
import faulthandler
import fnmatch
import gc
import inspect
import os
import signal
import sys
import textwrap
import threading
import time
import types
import warnings
import weakref

_DRAIN = 0.2  # what a test started may end by itself for so long
_GRACE = 0.5  # and so long after it was cancelled
_POLL = 0.005
_ORIGIN = 3  # so many callers are known of a coroutine that is never awaited
_STDERR = 2  # sys.stderr may be a test's own


# Before whatever else catches the signals of a crash.
faulthandler.enable(file=_STDERR, all_threads=True)
# By bridge-test where a process does not end, and by the watchdog's own thread before it ends it.
faulthandler.register(signal.SIGQUIT, file=_STDERR, all_threads=True, chain=False)


class _Watch:
    """Reports failures that no awaiting code sees, while it is entered."""

    def __init__(self, report, native):
        self.report = report
        self.explain = native.explain
        self.catch = warnings.catch_warnings()

    def background(self, message, exception=None):
        self.report("background", message if exception is None else f"{message}: {self.explain(exception)}")

    def __enter__(self):
        self.hooks = sys.unraisablehook, threading.excepthook
        self.origins = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(_ORIGIN)
        self.catch.__enter__()
        warnings.filterwarnings("always", message=".*was never awaited", category=RuntimeWarning)
        self.show = warnings.showwarning
        warnings.showwarning = self.on_warning
        sys.unraisablehook = self.on_unraisable
        threading.excepthook = self.on_thread_failure
        return self

    def __exit__(self, *exc):
        sys.unraisablehook, threading.excepthook = self.hooks
        sys.set_coroutine_origin_tracking_depth(self.origins)
        self.catch.__exit__(*exc)

    def on_warning(self, message, category, filename, lineno, file=None, line=None):
        if issubclass(category, RuntimeWarning) and "was never awaited" in str(message):
            self.background(str(message))
        else:
            self.show(message, category, filename, lineno, file, line)

    def on_unraisable(self, what):
        where = what.err_msg or "Exception ignored in"
        self.background(f"{where}: {what.object!r}", what.exc_value)

    def on_thread_failure(self, what):
        if what.exc_type is not SystemExit:
            name = what.thread.name if what.thread else "an unknown one"
            self.background(f"Exception in the Python thread {name}", what.exc_value)

    def on_loop_failure(self, loop, context):
        self.background(context.get("message", "the loop's exception handler"), context.get("exception"))


class _Generators:
    """The async generators that were begun in the loop."""

    def __init__(self):
        self.begun = weakref.WeakSet()

    def attach(self):
        """In the running loop: its own hooks are set when it starts to run."""
        first, last = sys.get_asyncgen_hooks()

        def begin(generator):
            self.begun.add(generator)
            if first is not None:
                first(generator)

        sys.set_asyncgen_hooks(begin, last)

    def left(self):
        return [g for g in list(self.begun) if g.ag_frame is not None]


def _open_descriptors():
    """number -> what it is; nothing where the system does not tell."""
    found = {}
    with contextlib.suppress(OSError):
        for number in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):  # that of the listing itself
                found[int(number)] = os.readlink(f"/proc/self/fd/{number}")
    return found


class _Surroundings:
    """Threads and descriptors that were there before the test; what is more after it, is noted."""

    def __init__(self):
        self.threads = set(threading.enumerate())
        self.descriptors = _open_descriptors()

    def note_what_is_left(self, note, leaks):
        deadline = time.monotonic() + _DRAIN
        while (left := self._what_is_left()) and time.monotonic() < deadline:
            time.sleep(_POLL)  # native threads close theirs when they get to it
        for kind, name, text in left:
            if not leaks.is_ignored(kind, name):
                note(text)

    def _what_is_left(self):
        threads = [
            ("thread", one.name, f"the Python thread {one.name!r} is still alive")
            for one in threading.enumerate()
            if one not in self.threads
        ]
        descriptors = [
            ("descriptor", what, f"descriptor {number} is still open: {what}")
            for number, what in _open_descriptors().items()
            if number not in self.descriptors
        ]
        return threads + descriptors


def _name_of(coroutine):
    return getattr(coroutine, "__qualname__", None) or type(coroutine).__name__


def _describe_task(task):
    frames = task.get_stack(limit=1)
    where = f" at {frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else ""
    return f"task {task.get_name()!r} was still pending: coroutine {_name_of(task.get_coro())!r}{where}"


def _awaited_frames(awaitable):
    """The frames of a chain of coroutines, outermost first; native ones have none."""
    while awaitable is not None:
        frame = getattr(awaitable, "cr_frame", None) or getattr(awaitable, "gi_frame", None)
        if frame is not None:
            yield frame
        awaitable = getattr(awaitable, "cr_await", None) or getattr(awaitable, "gi_yieldfrom", None)


def _dump(loop):
    """Where everything is, on stderr."""
    sys.stderr.flush()
    faulthandler.dump_traceback(_STDERR, all_threads=True)
    lines = []
    for task in asyncio.all_tasks(loop):
        lines.append(f"{task!r}\n")
        for frame in _awaited_frames(task.get_coro()):
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {frame.f_lineno}, in {code.co_name}\n')
    sys.stderr.write("".join(lines))
    sys.stderr.flush()


class _Leaks:
    """What a test left behind: told, or counted if the test's patterns have it."""

    def __init__(self, report, note, patterns):
        self.report = report
        self.note = note
        self.patterns = patterns
        self.ignored = []

    def is_ignored(self, kind, name):
        what = f"{kind}:{name}"
        for pattern in self.patterns:
            if fnmatch.fnmatchcase(what, pattern) or pattern == kind:
                self.ignored.append(what)
                return True
        return False

    def fail(self, kind, name, message):
        if not self.is_ignored(kind, name):
            self.report("leak", message)

    def end(self):
        if self.ignored:
            self.note(f"{len(self.ignored)} leak(s) ignored: {', '.join(self.ignored)}")


class _Session:
    """A loop, and what the set-up of a suite has started in it: that is no test's leak."""

    def __init__(self, factory, debug):
        self.loop = factory()
        if debug:
            self.loop.set_debug(True)
        self.tasks = set()
        self.native = 0

    def keep(self, native):
        self.tasks = asyncio.all_tasks(self.loop)
        self.native = native.count(self.loop)

    def keep_nothing(self):
        self.tasks = set()
        self.native = 0


class _Run:
    def __init__(self, session, watch, report, leaks, native):
        self.session = session
        self.loop = session.loop
        self.watch = watch
        self.report = report
        self.leaks = leaks
        self.native = native
        self.generators = _Generators()

    def until(self, future, grace=None):
        """Runs the loop until the future is done, or `grace` seconds; SystemExit does not end it."""
        loop = self.loop
        over = False
        stopped = self.native.stopped()

        def stop(_):
            loop.stop()

        def give_up():
            nonlocal over, stopped, timer
            more = self.native.stopped() - stopped
            if more > 0:  # Ctrl-Z: that time does not count
                stopped += more
                timer = loop.call_later(more, give_up)
                return
            over = True
            loop.stop()

        timer = loop.call_later(grace, give_up) if grace else None
        future.add_done_callback(stop)
        while not future.done() and not over:
            try:
                loop.run_forever()
            except SystemExit as error:
                self.watch.background(f"SystemExit({error.code!r}) left a task or callback")
        future.remove_done_callback(stop)
        if timer:
            timer.cancel()
        return future.done()

    def start(self, coroutine):
        """A task; what it iterates over is watched from its first step on."""
        self.loop.call_soon(self.generators.attach)
        return self.loop.create_task(coroutine)

    def now(self):
        """The loop's time, without that in which the process was stopped."""
        return self.loop.time() - self.native.stopped()

    def body(self, coroutine, name, timeout, text, phase):
        task = self.start(coroutine)
        task.set_name(name)
        try:
            if self.until(task, timeout):
                return True
            where = phase()
            self.report("timeout", f"did not end within {text}" + (f": it was in {where}" if where else ""))
            _dump(self.loop)
            task.cancel()
            if self.until(task, _GRACE):  # its fixture's tear-down, too
                return True
            task.cancel()
            return self.until(task, _GRACE / 2)
        finally:
            if task.done() and not task.cancelled():
                task.exception()  # its failure is known

    def settle(self):
        """What is left, after it had time to end; then it is ended."""
        deadline = self.now() + _DRAIN
        left = self.wait_for_tasks(deadline)
        while self.count_native() > 0 and self.now() < deadline:
            self.until(self.start(asyncio.sleep(_POLL)))
        for task in left:
            self.leaks.fail("task", task.get_name(), _describe_task(task))
            task.cancel()
        if left:
            self.wait_for_tasks(self.now() + _GRACE / 2)
        del left
        self.end_native()
        gc.collect()
        for generator in self.generators.left():
            name = _name_of(generator)
            frame = generator.ag_frame
            where = f": it stands at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
            self.leaks.fail("generator", name, f"async generator {name!r} was not closed{where}")

    def shut_down(self):
        self.until(self.start(self.loop.shutdown_asyncgens()), _GRACE)

    def count_native(self):
        return self.native.count(self.loop) - self.session.native

    def end_native(self):
        if self.session.native:  # it would end that of the suite, too
            if (count := self.count_native()) > 0:
                self.leaks.fail("native", "", f"native work was still pending: {count} operation(s) of the loop")
            self.session.native = self.native.count(self.loop)
            return
        idle = self.loop.create_future()
        count = self.native.cancel(self.loop, lambda: idle.done() or idle.set_result(None))
        if count:
            self.leaks.fail("native", "", f"native work was still pending: {count} operation(s) of the loop")
            self.until(idle, _GRACE / 2)

    def wait_for_tasks(self, deadline):
        tasks = asyncio.all_tasks(self.loop) - self.session.tasks
        while tasks and (left := deadline - self.now()) > 0:
            self.until(self.start(asyncio.wait(tasks, timeout=left)))
            tasks = asyncio.all_tasks(self.loop) - self.session.tasks
        return tasks

    def turn(self):
        """One pass over what is queued: callbacks that the body's end has scheduled."""
        self.until(self.start(asyncio.sleep(0)))


def _set_up_suite(run, suite, body):
    """Whether the loop can go on; what the suite has started by then is kept."""
    if suite.set_up is None or body(suite.set_up()):
        run.session.keep(run.native)
        return True
    return False


def _tear_down_suite(run, suite, body):
    """Whether the loop can go on; what is left now is a leak."""
    if suite.tear_down is None:
        return True
    run.session.keep_nothing()
    if (part := suite.tear_down()) is not None and not body(part):
        return False
    run.settle()
    return True


def run_test(make_body, factory, debug, name, timeout, text, report, note, ignored, phase, suite, native):
    """The session, if the suite's fixture stays set up in it; else None."""
    _open_what_stays(factory)
    surroundings = _Surroundings()
    session = suite.session or _Session(factory, debug)
    loop = session.loop
    asyncio.set_event_loop(loop)
    stays = False
    with _Watch(report, native) as watch:
        loop.set_exception_handler(watch.on_loop_failure)
        leaks = _Leaks(report, note, ignored)
        run = _Run(session, watch, report, leaks, native)
        ended = False

        def body(coroutine):
            return run.body(coroutine, name, timeout, text, phase)

        try:
            if suite.set_up is not None:
                ended = _set_up_suite(run, suite, body)
                surroundings = _Surroundings()
            if suite.set_up is None or (ended and not suite.has_failed()):
                test = make_body()  # None where it had the main thread and has ended
                ended = test is None or body(test)
                del test
            if ended:
                gc.collect()
                run.turn()
                run.settle()
                ended = _tear_down_suite(run, suite, body)
            if ended and (suite.tear_down is not None or suite.has_failed() or not (suite.set_up or suite.session)):
                run.shut_down()
            elif ended:
                stays = True
            elif suite.session or suite.set_up:
                note("the suite's fixture was not torn down: its loop cannot go on")
        finally:
            asyncio.set_event_loop(None)
            if not ended:
                loop.set_exception_handler(lambda *_: None)  # one verdict is enough
            if not stays:
                loop.close()
        kept = suite.session = session if stays else None
        del loop, run, body, session  # what is kept as long as the loop object goes with it
        gc.collect()
        if ended:
            surroundings.note_what_is_left(note, leaks)
    leaks.end()
    return kept


def _lines_before(text, file, line):
    """How many lines of the file are before the text, so that tracebacks show the file's own lines."""
    try:
        with open(file, encoding="utf-8") as source:
            before, found, _ = source.read().partition(text)
    except (OSError, UnicodeDecodeError):
        found = ""
    return before.count("\n") if found else line - 1


def _arguments(function, names, offers):
    """By the names of its parameters: what the fixture provides, and what every test may ask for."""
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name in names:
            arguments[name] = names[name]
        elif name in offers:
            arguments[name] = offers[name]()
        elif parameter.default is parameter.empty:
            known = ", ".join((*names, *offers))
            raise TypeError(f"the test takes {name!r}, which nobody provides; there are: {known}")
    return arguments


async def call_text(text, file, line, names, offers):
    """Runs the function `test` that the text of a BRIDGE_TEST_PY defines."""
    source = "\n" * _lines_before(text, file, line) + textwrap.dedent(text)
    scope = {"__name__": "bridge_test_text", "__file__": file}
    exec(compile(source, file, "exec"), scope)
    test = scope.get("test")
    if not callable(test):
        raise TypeError("the text of a BRIDGE_TEST_PY defines no function `test`; write `async def test(): ...`")
    result = test(**_arguments(test, names, offers))
    if inspect.isawaitable(result):
        await result


_known_factories = set()


def _open_what_stays(factory):
    """What uvloop's first loop opens for all that follow, for signals, is no test's."""
    if factory not in _known_factories:
        _known_factories.add(factory)
        if getattr(factory, "__module__", "").startswith("uvloop"):
            factory().close()


def keep_what_is_there():
    """The collections after each test look at what tests have made, and only that; forks do not copy
    what they would only look at."""
    gc.freeze()


def warm_up(factory):
    """Does once what each fork would do for the first time. Starts no thread."""

    async def nothing():
        await asyncio.sleep(0)

    native = types.SimpleNamespace(explain=repr, count=lambda _: 0, cancel=lambda *_: 0, stopped=lambda: 0.0)
    suite = types.SimpleNamespace(set_up=None, tear_down=None, has_failed=bool, session=None)
    for _ in range(8):  # CPython adapts its byte code to what it has seen so often
        run_test(nothing, factory, False, "", 1, "", print, print, [], str, suite, native)


def flush_output():
    for stream in sys.stdout, sys.stderr:
        try:
            stream.flush()
        except Exception:
            pass  # closed or replaced by a test: its loss


def end_python():
    threading._shutdown()
    atexit._run_exitfuncs()
    flush_output()
