# SPDX-License-Identifier: Apache-2.0
"""Where the tasks of a loop wait, in Python and in C++."""

import asyncio
import sys
import traceback

# The attributes of coroutines, generators and async generators: the frame, and what it waits for.
_KINDS = (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await"))


def _chain_of(coroutine):
    """A coroutine, what it awaits, and so on: the frames, and the objects, of which the last one may have no frame."""
    frames, objects = [], []
    while coroutine is not None:
        objects.append(coroutine)
        for frame_name, await_name in _KINDS:
            if hasattr(coroutine, await_name):
                frame = getattr(coroutine, frame_name, None)
                if frame is not None:
                    frames.append((frame, frame.f_lineno))
                coroutine = getattr(coroutine, await_name)
                break
        else:
            break
    return frames, objects


def _format_task(task):
    frames, objects = _chain_of(task.get_coro())
    state = "runs" if task is asyncio.current_task(task.get_loop()) else "waits" if frames else "ends"
    lines = [f"{task.get_name()} {state}\n", *traceback.StackSummary.extract(iter(frames)).format()]
    waiter = getattr(task, "_fut_waiter", None)
    if waiter is not None and not any(waiter is one for one in objects):  # a C++ coroutine is what it waits for itself
        lines.append(f"  for {waiter!r}\n")
    return lines


def print_tasks(loop=None, *, file=None):
    """Prints each unfinished task of a loop, the running one unless given, with the coroutines that it waits in.

    C++ coroutines are shown as Python's are: function, file and line of the co_await. On the loop's thread.
    """
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    text = "\n".join("".join(_format_task(task)) for task in tasks)
    print(text or "no tasks", file=sys.stderr if file is None else file, end="" if text else "\n")
