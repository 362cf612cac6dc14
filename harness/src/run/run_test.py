# SPDX-License-Identifier: Apache-2.0
"""One test in a fresh event loop, what it left behind and what went wrong beside it."""

import asyncio
import atexit
import contextlib
import faulthandler
import gc
import signal
import sys
import threading
import time
import types

_DRAIN = 0.2  # what a test started may end by itself for so long
_GRACE = 0.5  # and so long after it was cancelled
_POLL = 0.005
_STDERR = 2  # sys.stderr may be a test's own


# Before whatever else catches the signals of a crash.
faulthandler.enable(file=_STDERR, all_threads=True)
# By bridge-test where a process does not end, and by the watchdog's own thread before it ends it.
with contextlib.suppress(ValueError):  # this thread is not Python's main one
    signal.signal(signal.SIGQUIT, watch.on_quit)  # catch_dumps() has it called
faulthandler.register(signal.SIGQUIT, file=stacks_descriptor, all_threads=True, chain=False)


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
    def __init__(self, session, watcher, report, leaks, native, generators=None):
        self.session = session
        self.loop = session.loop
        self.call_later = getattr(self.loop, "call_later_really", self.loop.call_later)
        self.watcher = watcher
        self.report = report
        self.leaks = leaks
        self.native = native
        self.generators = generators or left_behind.Generators()

    def until(self, future, grace=None):
        """Runs the loop until the future is done, or `grace` seconds; SystemExit does not end it."""
        loop = self.loop
        over = False
        begun = time.monotonic() - self.native.stopped()

        def stop(_):
            loop.stop()

        def give_up():
            nonlocal over, timer
            left = grace - (time.monotonic() - self.native.stopped() - begun)
            if left > _POLL:  # after Ctrl-Z: that time does not count
                timer = self.call_later(left, give_up)
                return
            over = True
            loop.stop()

        timer = self.call_later(grace, give_up) if grace else None
        future.add_done_callback(stop)
        while not future.done() and not over:
            try:
                if self.watcher.is_interrupted:
                    raise KeyboardInterrupt
                loop.run_forever()
                if not future.done() and not over:
                    self.watcher.on_stop()
            except SystemExit as error:
                self.watcher.background(f"SystemExit({error.code!r}) left a task or callback")
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
            self.native.alive()
            self.native.say_stacks()
            self.native.alive()  # the report may take its time
            self.report("timeout", f"did not end within {text}" + self.explain_time_out(task, phase()))
            watch.dump(self.loop)
            for grace in (_GRACE, _GRACE / 2):  # its fixture's tear-down, too
                self.native.alive()  # what blocks this thread is found by who waits for the next one
                task.cancel()
                if self.until(task, grace):
                    return True
            self.native.alive()
            self.report("timeout", f"was cancelled, and {watch.describe_stay(task, self.native)}")
            return False
        finally:
            if task.done() and not task.cancelled():
                task.exception()  # its failure is known

    def explain_time_out(self, task, phase):
        reasons = [f"it was in {phase}"] if phase else []
        if not self.native.runtime_answers():
            where = f"at {places}" if (places := self.native.places_of_others()) else "where its stack says"
            reasons.append(f"the runtime is starved, as each of its threads is blocked, {where}")
        reasons.append(watch.describe_wait(task, self.native))
        if hasattr(self.loop, "describe_time"):
            reasons.append(self.loop.describe_time())
        return f": {'; '.join(reasons)}"

    def wait_while(self, condition, deadline):
        """Whether it no longer holds; what tells nobody is looked at again and again."""
        while condition() and self.now() < deadline:
            self.until(self.start(asyncio.sleep(_POLL)))
        return not condition()

    def wait_for_dropped(self, sweep, seconds, text):
        """For a body that nobody awaits any more."""
        if not self.wait_while(lambda: not sweep.is_over(), self.now() + seconds):
            self.report("timeout", f"did not end within {text}")
            return False
        return True

    def settle(self):
        """What is left, after it had time to end; then it is ended."""
        deadline = self.now() + _DRAIN
        left = self.wait_for_tasks(deadline)
        self.wait_while(lambda: self.count_native() > 0 or self.native.waits(), deadline)
        for task in left:
            self.leaks.fail("task", task.get_name(), left_behind.describe_task(task))
            task.cancel()
        if left:
            self.wait_for_tasks(self.now() + _GRACE / 2)
        for task in left:
            watch.tell_end(task, self.report, self.native.explain)
        del left
        if self.end_native():
            for function, text in self.native.describe_waits():
                self.leaks.fail("coroutine", function, left_behind.describe_coroutine(text))
        gc.collect()
        for generator in self.generators.left():
            self.leaks.fail_generator(generator)

    def find_references(self):
        """What is left otherwise may own some: then they say nothing more."""
        if not self.leaks.has_found:
            self.wait_while(self.native.describe_references, self.now() + _DRAIN)
            for type_name, text in self.native.describe_references():
                self.leaks.fail("reference", type_name, left_behind.describe_reference(text))

    def shut_down(self):
        self.until(self.start(self.loop.shutdown_asyncgens()), _GRACE)

    def count_native(self):
        return self.native.count(self.loop) - self.session.native

    def end_native(self):
        """Whether none is left."""
        if self.session.native:  # it would end that of the suite, too
            if (count := self.count_native()) > 0:
                self.fail_native(count, self.native.describe(self.loop))
            self.session.native = self.native.count(self.loop)
            return count <= 0
        idle = self.loop.create_future()
        places = self.native.describe(self.loop)
        count = self.native.cancel(self.loop, lambda: idle.done() or idle.set_result(None))
        if count:
            self.fail_native(count, places)
            return self.until(idle, _GRACE / 2)
        return True

    def fail_native(self, count, places):
        self.leaks.fail("native", "", left_behind.describe_native(count, places))

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


def run_test(make_body, factory, debug, name, timeout, text, report, note, ignored, phase, suite, native, points):
    """The session, if the suite's fixture stays set up in it; else None."""
    left_behind.put_back_standard()
    _open_what_stays(factory)
    surroundings = left_behind.Surroundings(native)
    session = suite.session or _Session(factory, debug)
    loop = session.loop
    asyncio.set_event_loop(loop)
    stays = False
    with watch.Watch(report, note, native) as watcher:
        loop.set_exception_handler(watcher.on_loop_failure)
        leaks = left_behind.Leaks(report, note, ignored)
        run = _Run(session, watcher, report, leaks, native)
        ended = False

        def body(coroutine):
            return run.body(coroutine, name, timeout, text, phase)

        try:
            if suite.set_up is not None:
                ended = _set_up_suite(run, suite, body)
                surroundings = left_behind.Surroundings(native)
            if suite.set_up is None or (ended and not suite.has_failed()):
                native.begin_references()
                test = make_body()  # None where it had the main thread and has ended
                sweep = cancel_sweep.Sweep(loop, test, points) if points else None
                ended = test is None or body(sweep.body if sweep else test)
                if sweep:
                    sweep.end()
                    ended = ended and run.wait_for_dropped(sweep, timeout, text)
                del test, sweep
            if ended:
                gc.collect()
                run.turn()
                run.settle()
                run.find_references()
                ended = _tear_down_suite(run, suite, body)
            if ended and (suite.tear_down is not None or suite.has_failed() or not (suite.set_up or suite.session)):
                run.shut_down()
            elif ended:
                stays = True
            elif suite.session or suite.set_up:
                note("the suite's fixture was not torn down: its loop cannot go on")
        finally:
            native.end_references()
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
        left_behind.put_back_standard()
    leaks.end()
    return kept


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

    native = types.SimpleNamespace(
        explain=repr,
        count=lambda _: 0,
        describe=lambda _: [],
        cancel=lambda *_: 0,
        stopped=lambda: 0.0,
        say_stacks=str,
        place_of=str,
        places_of_others=str,
        body_thread=lambda: 0,
        test_name="",
        runtime_answers=lambda: True,
        thread_of_handler=lambda: 0,
        alive=str,
        waits=lambda: 0,
        describe_waits=list,
        begin_references=str,
        end_references=str,
        describe_references=list,
        signal_handlers=dict,
    )
    suite = types.SimpleNamespace(set_up=None, tear_down=None, has_failed=bool, session=None)
    for _ in range(8):  # CPython adapts its byte code to what it has seen so often
        run_test(nothing, factory, False, "", 1, "", print, print, [], str, suite, native, None)
    left_behind.forget_standard()


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
