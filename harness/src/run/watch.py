# SPDX-License-Identifier: Apache-2.0
"""What goes wrong beside a test, and where everything is."""

import asyncio
import faulthandler
import sys
import threading
import warnings

_ORIGIN = 3  # so many callers are known of a coroutine that is never awaited
_STDERR = 2  # sys.stderr may be a test's own
_HARNESS = "harness/src/run/"


class Watch:
    """Reports failures that no awaiting code sees, while it is entered."""

    def __init__(self, report, note, native):
        self.report = report
        self.note = note
        self.has_stopped = False
        self.is_interrupted = False
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
        if self.is_interrupted and exc[0] is not KeyboardInterrupt:
            raise KeyboardInterrupt

    def on_warning(self, message, category, filename, lineno, file=None, line=None):
        if issubclass(category, RuntimeWarning) and "was never awaited" in str(message):
            self.background(str(message))
        else:
            self.show(message, category, filename, lineno, file, line)

    def on_unraisable(self, what):
        if what.exc_type is KeyboardInterrupt and threading.current_thread() is threading.main_thread():
            self.interrupt()
            return
        where = what.err_msg or "Exception ignored in"
        self.background(f"{where}: {what.object!r}", what.exc_value)

    def interrupt(self):
        """Ctrl-C came where nothing can be raised, as in the callback of a weak reference: its loop raises it next."""
        self.is_interrupted = True
        if (loop := asyncio._get_running_loop()) is not None:
            loop.call_soon_threadsafe(_raise_interrupt)

    def on_thread_failure(self, what):
        if what.exc_type is not SystemExit:
            name = what.thread.name if what.thread else "an unknown one"
            self.background(f"Exception in the Python thread {name}", what.exc_value)

    def on_stop(self):
        if not self.has_stopped:
            self.has_stopped = True
            self.note("the loop was stopped before the test had ended, as by loop.stop(): it was run again")

    def on_loop_failure(self, loop, context):
        self.background(context.get("message", "the loop's exception handler"), context.get("exception"))


def _raise_interrupt():
    raise KeyboardInterrupt


def tell_end(task, report, explain):
    """Of a task that was left and has been cancelled: what it raises then would be told when nobody listens."""
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        report("background", f"the task {task.get_name()!r} failed when it was cancelled: {explain(error)}")


def _awaited_frames(awaitable):
    """The frames of a chain of coroutines, outermost first; native ones have none."""
    while awaitable is not None:
        frame = getattr(awaitable, "cr_frame", None) or getattr(awaitable, "gi_frame", None)
        if frame is not None:
            yield frame
        awaitable = getattr(awaitable, "cr_await", None) or getattr(awaitable, "gi_yieldfrom", None)


def _frames_of_users(coroutine):
    return [one for one in _awaited_frames(coroutine) if _HARNESS not in one.f_code.co_filename]


def describe_place(coroutine):
    """Where it waits, as far as it tells."""
    frames = _frames_of_users(coroutine)
    return f"{frames[-1].f_code.co_filename}:{frames[-1].f_lineno}" if frames else "an unknown place"


def _describe_innermost(frames, native):
    code = frames[-1].f_code
    return f"{code.co_filename}:{frames[-1].f_lineno} in {_name(code.co_name, native.test_name)}"


def _name(function, test):
    """What the macros call every test's body is named as the test."""
    return test if function == "bridge_body" else function


def _describe_native(native):
    """Why native code keeps the test from going on, if it does; what was said of the stacks is known."""
    if thread := native.thread_of_handler():
        where = f"at {place}" if (place := native.place_of(thread)) else f"on thread {thread}, where its stack says"
        return f"a handler on its executor has not returned, {where}"
    return ""


def _describe_function(native):
    thread = native.body_thread()
    place = native.place_of(thread) if thread else ""
    return "its function has not returned" + (f", and is at {place}" if place else "")


def _describe_awaiters(place, native):
    """Who awaits, in C++, what waits at that place: the coroutines of the test's own."""
    if len(waits := native.describe_waits()) != 1 or not waits[0][1]:
        return ""
    first, *awaiters = waits[0][1].removeprefix("in ").split(", awaited in ")
    function, _, at = first.partition(" at ")
    if f"{at} in {function}" != place:
        awaiters.insert(0, first)
    return "".join(f", awaited in {one}" for one in awaiters)


def describe_wait(task, native):
    """In words, why it does not end, as far as its coroutines tell; those of the harness itself tell nothing."""
    frames = _frames_of_users(task.get_coro())
    if not frames:
        return _describe_function(native)
    if reason := _describe_native(native):
        return reason
    place = _describe_innermost(frames, native)
    if task._fut_waiter is None:
        return f"it goes on and on, and was at {place}"
    return f"nobody has completed what it awaits at {place}{_describe_awaiters(place, native)}"


def describe_stay(task, native):
    """Why it has not ended when it was cancelled."""
    frames = _frames_of_users(task.get_coro())
    if not frames:
        return _describe_function(native)
    if reason := _describe_native(native):
        return reason
    if task._fut_waiter is None:
        return f"goes on and on, and was at {_describe_innermost(frames, native)}"
    return f"waits again at {_describe_innermost(frames, native)}"


def dump(loop):
    """Where everything is, on stderr."""
    sys.stderr.flush()
    faulthandler.dump_traceback(_STDERR, all_threads=True)
    dump_tasks(loop)


def dump_tasks(loop):
    lines = []
    for task in asyncio.all_tasks(loop):
        name = task.get_name()
        lines.append(f"{task!r}\n".replace(" bridge_body ", f" {name} "))
        for frame in _awaited_frames(task.get_coro()):
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {frame.f_lineno}, in {_name(code.co_name, name)}\n')
    sys.stderr.write("".join(lines))
    sys.stderr.flush()


def on_quit(*_):
    """A handler of SIGQUIT, beside those that need no GIL."""
    if (loop := asyncio._get_running_loop()) is not None:
        dump_tasks(loop)
