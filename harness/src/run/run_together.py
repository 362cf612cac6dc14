# SPDX-License-Identifier: Apache-2.0
"""Several tests at once in one event loop. What a test does is told to it by its context; what is nobody's is the
group's."""

import asyncio
import collections
import contextvars
import gc
import time
import weakref

_DRAIN = 0.2  # what a test started may end by itself for so long
_GRACE = 0.5  # and so long after it was cancelled
_POLL = 0.005

_current = contextvars.ContextVar("bridge_test", default=None)


class _Watch(watch.Watch):
    """Tells the test in whose context something goes wrong."""

    def __init__(self, together, native):
        super().__init__(together.report, together.group.note, native)
        self.together = together

    def on_loop_failure(self, loop, context):
        owner = self.together.owner_of_failure(context)
        within = contextvars.copy_context()
        if owner is not None:
            within.run(_current.set, owner)
        within.run(super().on_loop_failure, loop, context)


class _Generators(left_behind.Generators):
    def __init__(self, owners):
        super().__init__()
        self.owners = owners

    def note(self, generator):
        super().note(generator)
        self.owners[generator] = _current.get()


class _Together:
    def __init__(self, loop, tests, group):
        self.loop = loop
        self.waiting = collections.deque(tests)
        self.group = group
        self.owners = weakref.WeakKeyDictionary()  # of tasks and generators
        self.generators = _Generators(self.owners)
        loop.set_task_factory(self.make_task)

    def make_task(self, loop, coroutine, **more):
        task = asyncio.Task(coroutine, loop=loop, **more)
        self.owners[task] = _current.get()
        return task

    def report(self, kind, message):
        (_current.get() or self.group).report(kind, message)

    def owner_of_failure(self, context):
        for name in ("task", "future"):
            if (thing := context.get(name)) is not None and (owner := self.owners.get(thing)) is not None:
                return owner
        handle = context.get("handle")
        within = getattr(handle, "_context", None)
        return within.get(_current) if within is not None else _current.get()

    async def run_all(self, at_once):
        await asyncio.gather(*(self.work() for _ in range(at_once)))

    async def work(self):
        while self.waiting:
            test = self.waiting.popleft()
            if (run := test.start()) is not None:
                await self.loop.create_task(self.run_one(run))
            test.finish()

    async def run_one(self, test):
        _current.set(test)
        task = self.loop.create_task(test.make_body())
        task.set_name(test.name)
        ended = await self.has_ended(task, test)
        if ended:
            del task
            contextvars.Context().run(gc.collect)  # what others have left is not this one's
            await asyncio.sleep(0)
            await self.settle(test)
        else:
            task._log_destroy_pending = False

    async def has_ended(self, task, test):
        begun = time.monotonic()
        left = test.timeout
        while not task.done() and left > 0:
            await self.wait(task, left)
            left = test.timeout + test.stopped() - (time.monotonic() - begun)  # what was stopped does not count
        if not task.done():
            test.alive()
            test.say_stacks()
            test.alive()
            reason = watch.describe_wait(task, test)
            test.report("timeout", f"did not end within {test.text}: {reason}")
            watch.dump(self.loop)
            for grace in (_GRACE, _GRACE / 2):
                test.alive()
                task.cancel()
                await self.wait(task, grace)
            if not task.done():
                test.alive()
                test.report("timeout", f"was cancelled, and {watch.describe_stay(task, test)}")
        if task.done() and not task.cancelled():
            task.exception()  # its failure is known
        return task.done()

    @staticmethod
    async def wait(task, seconds):
        if not task.done():
            await asyncio.wait({task}, timeout=seconds)

    def tasks_of(self, test):
        own = asyncio.current_task()
        return {one for one in asyncio.all_tasks(self.loop) if one is not own and self.owners.get(one) is test}

    async def settle(self, test):
        leaks = left_behind.Leaks(test.report, test.note, test.ignored)
        deadline = self.loop.time() + _DRAIN
        while (left := self.tasks_of(test)) and (seconds := deadline - self.loop.time()) > 0:
            await asyncio.wait(left, timeout=seconds)
        while test.waits() and self.loop.time() < deadline:
            await asyncio.sleep(_POLL)
        for task in left:
            leaks.fail("task", task.get_name(), left_behind.describe_task(task))
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_GRACE / 2)
        for task in left:
            watch.tell_end(task, test.report, test.explain)
        for function, text in test.describe_waits():
            leaks.fail("coroutine", function, left_behind.describe_coroutine(text))
        for generator in self.generators.left():
            if self.owners.get(generator) is test:
                leaks.fail_generator(generator)
                self.owners.pop(generator)
                self.generators.forget(generator)
        await self.find_references(test, leaks)
        leaks.end()

    async def find_references(self, test, leaks):
        """What is left otherwise may own some: then they say nothing more."""
        if leaks.has_found:
            return
        deadline = self.loop.time() + _DRAIN
        while test.describe_references() and self.loop.time() < deadline:
            await asyncio.sleep(_POLL)
        for type_name, text in test.describe_references():
            leaks.fail("reference", type_name, left_behind.describe_reference(text))


def run_together(tests, at_once, group, factory, debug, ignored, native):
    """Each of them is started, run and finished; what nobody has left by himself is told to the group."""
    left_behind.put_back_standard()
    run_test._open_what_stays(factory)
    surroundings = left_behind.Surroundings(native)
    session = run_test._Session(factory, debug)
    loop = session.loop
    asyncio.set_event_loop(loop)
    together = _Together(loop, tests, group)
    leaks = left_behind.Leaks(group.report, group.note, ignored)
    collects = gc.isenabled()
    gc.disable()  # but where it is nobody's fault
    with _Watch(together, native) as watcher:
        loop.set_exception_handler(watcher.on_loop_failure)
        run = run_test._Run(session, watcher, group.report, leaks, native, together.generators)
        native.begin_references()
        try:
            run.until(run.start(together.run_all(at_once)))
            loop.set_task_factory(None)
            gc.collect()
            run.turn()
            run.settle()
            run.find_references()
            run.shut_down()
        finally:
            native.end_references()
            asyncio.set_event_loop(None)
            loop.close()
            if collects:
                gc.enable()
        del loop, run, together, session, watcher
        gc.collect()
        surroundings.note_what_is_left(group.note, leaks)
    leaks.end()
