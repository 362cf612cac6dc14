# SPDX-License-Identifier: Apache-2.0
"""Programs as trees: how one is run, with every other node's function taken from n."""

import asyncio
import contextlib
import sys

from program import show, turns


def brief(value):
    """Without an exception's context: what a C++ coroutine has caught is not being handled in Python."""
    if not isinstance(value, BaseException):
        return show(value)
    inner = [brief(one) for one in getattr(value, "exceptions", ())]
    return f"{type(value).__name__}{value.args if not inner else inner}"


ERRORS = {"value": ValueError, "key": KeyError, "cancel": asyncio.CancelledError}


def is_taken_for_running(seen):
    """After an aclose() that ended by an error while it waited, CPython before 3.13 takes its own generator for
    running still; ours is closed."""
    return sys.version_info < (3, 13) and seen != "None"


class InOrder(dict):
    """A set that keeps its order: TaskGroup's own cancels by the tasks' addresses."""

    def add(self, one):
        self[one] = None

    def discard(self, one):
        self.pop(one, None)


class Run:
    """One run of a tree; n is pure.py or the native module."""

    def __init__(self, n, trace):
        self.n, self.trace, self.events = n, trace, {}

    def event(self, number):
        return self.events.setdefault(number, asyncio.Event())

    def through(self, path, tree):
        """The node behind a function of n, which awaits it."""
        wrapped = lambda: self.node(path, tree)
        way = tree[0]
        if way == "python":
            return wrapped()
        if way == "call":
            return self.n.call(wrapped)
        if way == "deep":
            return self.n.call(lambda: self.n.call(wrapped))
        if way == "hop":
            return self.n.hop_and_call(wrapped)
        if way == "child":
            return self.n.call_in_child(wrapped)
        if way == "swallow":
            return self.n.swallow(wrapped, f"swallowed at {path}")
        if way == "convert":
            return self.n.convert(wrapped, ValueError(f"converted at {path}"))
        if way == "clean":
            return self.n.with_cleanup(wrapped, lambda: self.clean(path))
        raise AssertionError(way)

    async def clean(self, path):
        self.trace(path, "clean-up begins")
        await asyncio.sleep(0)
        self.trace(path, "clean-up ends")

    async def node(self, path, tree):
        _, kind, *rest = tree
        self.trace(path, kind)
        try:
            value = await getattr(self, "do_" + kind)(path, *rest)
        except BaseException as error:
            self.trace(path, "raises", type(error).__name__, error.args)
            raise
        self.trace(path, "gives", value)
        return value

    def children(self, path, trees):
        return [self.through(f"{path}.{i}", tree) for i, tree in enumerate(trees)]

    async def do_value(self, path, value):
        return value

    async def do_yield(self, path, count):
        await turns(count)
        return count

    async def do_raise(self, path, kind):
        raise ERRORS[kind](path)

    async def do_set(self, path, number):
        self.event(number).set()

    async def do_wait(self, path, number):
        await self.event(number).wait()

    async def do_cancel_me(self, path, message):
        asyncio.current_task().cancel(message)

    async def do_native(self, path, value):
        return await self.n.give(value)

    async def do_sequence(self, path, *trees):
        values = []
        for i, tree in enumerate(trees):
            values.append(await self.through(f"{path}.{i}", tree))
        return values

    async def do_catch(self, path, tree):
        try:
            return await self.through(f"{path}.0", tree)
        except Exception as error:
            return f"caught {brief(error)}"

    async def do_catch_all(self, path, tree):
        try:
            return await self.through(f"{path}.0", tree)
        except (Exception, asyncio.CancelledError) as error:
            return f"caught {type(error).__name__}{error.args}"

    async def do_finally(self, path, tree, count):
        try:
            return await self.through(f"{path}.0", tree)
        finally:
            await turns(count)
            self.trace(path, "finally")

    async def do_gather(self, path, *trees):
        return await asyncio.gather(*self.children(path, trees))

    async def do_gather_all(self, path, *trees):
        results = await asyncio.gather(*self.children(path, trees), return_exceptions=True)
        return [brief(result) for result in results]

    async def do_shield(self, path, tree):
        return await asyncio.shield(self.through(f"{path}.0", tree))

    async def do_task(self, path, tree):
        return await asyncio.create_task(self.through(f"{path}.0", tree))

    async def do_group(self, path, *trees):
        async with asyncio.TaskGroup() as group:
            group._tasks = InOrder()
            tasks = [group.create_task(one) for one in self.children(path, trees)]
        return [task.result() for task in tasks]

    async def do_timeout(self, path, seconds, tree):
        async with asyncio.timeout(seconds):
            return await self.through(f"{path}.0", tree)

    async def do_wait_for(self, path, seconds, tree):
        return await asyncio.wait_for(self.through(f"{path}.0", tree), seconds)

    async def do_cancel_after(self, path, count, message, tree):
        task = asyncio.create_task(self.through(f"{path}.0", tree))
        await turns(count)
        self.trace(path, "cancels", task.cancel(message))
        return await task

    async def do_cancel_twice(self, path, count, tree):
        task = asyncio.create_task(self.through(f"{path}.0", tree))
        for message in ("one", "two"):
            await turns(count)
            self.trace(path, "cancels", task.cancel(message))
        return await task

    def after_close(self, seen):
        """After an aclose() that an error was thrown into CPython before 3.13 takes its own generator for running
        still; ours is closed."""
        is_stuck = sys.version_info < (3, 13) and self.n.__name__ == "pure"
        return "StopAsyncIteration()" if is_stuck and seen.endswith("is already running',)") else seen

    def generator(self, path, trees):
        """An async generator of n: it awaits the nodes and yields what they give."""
        rest = enumerate(trees)

        def following():
            i, tree = next(rest)
            return self.through(f"{path}.{i}", tree)

        return self.n.calling(following, len(trees))

    async def step(self, awaitable):
        try:
            return brief(await awaitable)
        except (Exception, asyncio.CancelledError) as error:
            return brief(error)

    async def do_iterate(self, path, *trees):
        return [brief(item) async for item in self.generator(path, trees)]

    async def do_take(self, path, count, *trees):
        taken = []
        async with contextlib.aclosing(self.generator(path, trees)) as generator:
            async for item in generator:
                taken.append(brief(item))
                if len(taken) > count:
                    break
        return taken

    async def do_steps(self, path, actions, *trees):
        generator = self.generator(path, trees)
        for action in [*actions, "close"]:
            seen = await self.act(generator, *action.split())
            self.trace(path, action, seen)
            if action == "close" and is_taken_for_running(seen):
                return

    async def act(self, generator, action, count="0"):
        if action == "next":
            return await self.step(generator.__anext__())
        if action == "send":
            return await self.step(generator.asend("sent"))
        if action == "throw":
            return await self.step(generator.athrow(KeyError("thrown")))
        if action == "close":
            return await self.step(generator.aclose())
        task = asyncio.create_task(self.step(generator.__anext__()))
        await turns(int(count))
        if action == "cancel":
            task.cancel()
            return await self.step(task)
        return await self.step(generator.asend(None)), await self.step(task)  # two at once

    async def do_guard(self, path, count, tree):
        """A generator whose clean-up awaits the node."""
        generator = self.n.guarded(2, lambda: self.through(f"{path}.0", tree))
        taken = [await self.step(generator.__anext__()) for _ in range(count)]
        closed = await self.step(generator.aclose())
        return taken, closed, self.after_close(await self.step(generator.__anext__()))


async def program(n, trace, tree, calm=False):
    """Runs the tree; unless it is calm, what still waits after so many turns is cancelled."""
    run = Run(n, trace)
    task = asyncio.create_task(run.through("0", tree))
    for message in () if calm else ("too long", "far too long", "much too long"):
        for _ in range(200):
            if task.done():
                break
            await asyncio.sleep(0)
        else:
            trace("cancelled:", message, task.cancel(message))
    await asyncio.wait([task], timeout=30 if calm else 0)
    trace("cancelled" if task.cancelled() else brief(task.exception() or task.result()) if task.done() else "pending")
    for _ in range(100):  # some swallow several requests
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            break
        for one in sorted(left, key=lambda task: int(task.get_name().rpartition("-")[2])):
            one.cancel("left over")
        await turns(20)
