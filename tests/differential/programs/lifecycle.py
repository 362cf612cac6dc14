# SPDX-License-Identifier: Apache-2.0
"""The coroutine object itself: run by hand, closed, thrown into, used twice, never used."""

import asyncio
import collections.abc
import gc
import inspect
import types
import weakref

from program import outcome, program, turns


@types.coroutine
def _yields(*values):
    got = []
    for value in values:
        got.append((yield value))
    return got


def _step(t, action, *arguments):
    try:
        t("yields", action(*arguments))
    except BaseException as error:
        t("raises", error)


@program
def by_hand(n, t):
    _step(t, n.give(5).send, None)
    _step(t, n.give().send, None)
    _step(t, n.give((1, 2)).send, None)
    _step(t, n.fail(ValueError("v")).send, None)
    _step(t, n.fail(StopIteration(1)).send, None)


@program
def values_sent_pass_through(n, t):
    coroutine = n.call(lambda: _yields("a", "b"))
    _step(t, coroutine.send, None)
    _step(t, coroutine.send, "to a")
    _step(t, coroutine.send, "to b")
    _step(t, coroutine.send, None)


@program
def a_value_sent_too_early(n, t):
    coroutine = n.give(1)
    _step(t, coroutine.send, "early")
    _step(t, coroutine.send, None)


@program
def close_before_it_starts(n, t):
    coroutine = n.give(1)
    t(coroutine.close())
    _step(t, coroutine.send, None)
    t(coroutine.close())


@program
def close_after_its_end(n, t):
    coroutine = n.give(1)
    _step(t, coroutine.send, None)
    t(coroutine.close())


@program
def close_while_it_waits(n, t):
    def below():
        try:
            yield "waiting"
        except BaseException as error:
            t("below", error)
            raise

    async def clean():
        t("clean-up")

    for coroutine in (n.call(lambda: types.coroutine(below)()), n.with_cleanup(types.coroutine(below), clean)):
        _step(t, coroutine.send, None)
        t(coroutine.close())
        _step(t, coroutine.send, None)


@program
def close_that_is_ignored(n, t):
    coroutine = n.with_cleanup(lambda: _yields("waiting"), lambda: _yields("in clean-up"))
    _step(t, coroutine.send, None)
    _step(t, coroutine.close)
    _step(t, coroutine.close)


@program
def close_with_an_error_below(n, t):
    def below():
        try:
            yield "waiting"
        finally:
            raise ValueError("in clean-up")

    coroutine = n.call(lambda: types.coroutine(below)())
    _step(t, coroutine.send, None)
    _step(t, coroutine.close)


@program
def throw_before_it_starts(n, t):
    for error in (ValueError("v"), asyncio.CancelledError("c"), GeneratorExit()):
        coroutine = n.give(1)
        _step(t, coroutine.throw, error)
        _step(t, coroutine.send, None)


@program
def throw_while_it_waits(n, t):
    def below():
        for _ in range(2):
            try:
                yield "waiting"
            except ValueError as error:
                t("below", error)
        return "end"

    for error in (ValueError("v"), KeyError("k"), asyncio.CancelledError("c"), GeneratorExit("g")):
        coroutine = n.call(lambda: types.coroutine(below)())
        _step(t, coroutine.send, None)
        _step(t, coroutine.throw, error)
        _step(t, coroutine.send, None)


@program
def throw_after_its_end(n, t):
    coroutine = n.give(1)
    _step(t, coroutine.send, None)
    _step(t, coroutine.throw, ValueError("v"))


@program
def throw_a_class(n, t):
    _step(t, n.give(1).throw, ValueError)
    coroutine = n.call(lambda: _yields(1))
    coroutine.send(None)
    _step(t, coroutine.throw, KeyError)


@program
def throw_the_old_way(n, t):
    _step(t, n.give(1).throw, ValueError, "text")
    _step(t, n.give(1).throw, ValueError, ValueError("value"), None)
    _step(t, n.give(1).throw, ValueError, (1, 2))


@program
def throw_nonsense(n, t):
    for arguments in ((1,), (int,), (ValueError("v"), "more"), (ValueError, None, 3)):
        coroutine = n.give(1)
        try:
            coroutine.throw(*arguments)
        except BaseException as error:
            t(type(error).__name__)
        coroutine.close()


@program
def throw_with_a_traceback(n, t):
    try:
        raise ValueError("v")
    except ValueError as error:
        seen = error
    coroutine = n.give(1)
    try:
        coroutine.throw(KeyError, KeyError("k"), seen.__traceback__)
    except KeyError as error:
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append(trace.tb_lineno)
            trace = trace.tb_next
        t(seen.__traceback__.tb_lineno in frames)


@program
async def awaited_twice(n, t):
    for coroutine in (n.give(1), n.hop(1), n.fail(ValueError("v"))):
        t(await outcome(coroutine))
        t(await outcome(coroutine))
        t(await outcome(asyncio.create_task(coroutine)))


@program
async def awaited_by_two(n, t):
    coroutine = n.call(asyncio.Event().wait)

    async def first():
        await coroutine

    task = asyncio.create_task(first())
    await turns()
    t(await outcome(coroutine))
    task.cancel()
    t(await outcome(task))


@program
async def awaited_by_two_while_native_code_runs(n, t):
    gate = n.Gate()
    coroutine = gate.wait()

    async def first():
        return await coroutine

    task = asyncio.create_task(first())
    await turns()
    t(await outcome(coroutine))
    gate.open()
    t(await outcome(task))


@program
async def closed_and_awaited(n, t):
    coroutine = n.hop(1)
    coroutine.close()
    t(await outcome(coroutine))
    t(await outcome(asyncio.gather(coroutine, return_exceptions=True)))
    t(await outcome(asyncio.create_task(coroutine)))


@program
async def closed_in_a_gather(n, t):
    coroutine = n.give(1)
    coroutine.close()
    t(await outcome(asyncio.gather(coroutine)))


@program
def never_awaited(n, t):
    n.give(1)
    n.call(lambda: n.give(1))
    gc.collect()


@program
async def never_awaited_in_a_loop(n, t):
    n.hop(1)
    gate = n.Gate()
    gate.wait()
    t("end")


@program
async def dropped_while_it_waits(n, t):
    def below():
        try:
            yield asyncio.get_running_loop().create_future()
        finally:
            t("below ends")

    coroutine = n.call(lambda: types.coroutine(below)())
    coroutine.send(None)
    del coroutine
    gc.collect()
    t("dropped")


@program
def iterated(n, t):
    iterator = n.give(3).__await__()
    t(isinstance(iterator, collections.abc.Iterator))
    _step(t, next, iterator)


@program
async def awaited_by_an_object(n, t):
    class Wrapped:
        def __await__(self):
            return n.hop("wrapped").__await__()

    class Delegating:
        def __await__(self):
            return (yield from n.call(lambda: n.hop("delegated")).__await__())

    t(await Wrapped(), await Delegating())


@program
async def from_a_generator(n, t):
    @types.coroutine
    def old():
        return (yield from n.hop("from").__await__())

    t(await old())


@program
async def what_it_is(n, t):
    coroutine = n.hop(1)
    t(inspect.isawaitable(coroutine), asyncio.iscoroutine(coroutine), asyncio.isfuture(coroutine))
    t(isinstance(coroutine, collections.abc.Coroutine), isinstance(coroutine, collections.abc.Awaitable))
    t(coroutine.__name__, coroutine.__qualname__, coroutine.cr_running, coroutine.cr_await)
    t(isinstance(asyncio.ensure_future(coroutine), asyncio.Task), weakref.ref(coroutine)() is coroutine)
    await turns(3)


@program(since=(3, 12))
def what_the_functions_are(n, t):
    for function in (n.give, n.call):
        t(inspect.iscoroutinefunction(function), function.__name__, callable(function))


@program
def what_inspect_says(n, t):
    coroutine = n.give(1)
    t(inspect.iscoroutine(coroutine), inspect.getcoroutinestate(coroutine))
    coroutine.close()
    t(inspect.getcoroutinestate(coroutine), coroutine.cr_frame)


@program
async def what_it_awaits(n, t):
    future = asyncio.get_running_loop().create_future()
    coroutine = n.await_it(future)
    task = asyncio.ensure_future(coroutine)
    await turns()
    t(coroutine.cr_await is not None, task.get_coro() is coroutine)
    future.set_result(1)
    t(await task, coroutine.cr_await)


@program
def run_directly(n, t):
    t(asyncio.run(n.give(1)), asyncio.run(n.hop(2)), asyncio.run(n.call(lambda: n.hop(3))))
    try:
        asyncio.run(n.hop_and_fail(ValueError("v")))
    except ValueError as error:
        t(error)


@program(since=(3, 11))
def run_by_a_runner(n, t):
    with asyncio.Runner() as runner:
        t(runner.run(n.hop(1)), runner.run(n.give(2)), runner.run(n.call(lambda: n.hop(3))))


@program
def run_in_several_loops(n, t):
    for i in range(5):
        loop = asyncio.new_event_loop()
        t(loop.run_until_complete(n.hop(i)), loop.run_until_complete(asyncio.wait_for(n.hop(i), 60)))
        loop.close()


@program
def run_in_a_closed_loop(n, t):
    loop = asyncio.new_event_loop()
    loop.close()
    coroutine = n.hop(1)
    try:
        loop.run_until_complete(coroutine)
    except RuntimeError as error:
        t(error.args)
    coroutine.close()


@program
async def from_another_thread(n, t):
    loop = asyncio.get_running_loop()

    def there():
        return asyncio.run_coroutine_threadsafe(n.hop("across"), loop).result(60)

    t(await loop.run_in_executor(None, there))


@program
async def in_another_loop_of_another_thread(n, t):
    loop = asyncio.get_running_loop()
    t(await asyncio.gather(*(loop.run_in_executor(None, lambda i=i: asyncio.run(n.hop(i))) for i in range(4))))


@program(since=(3, 11))
async def wait_refuses_coroutines(n, t):
    coroutine = n.hop(1)
    t(await outcome(asyncio.wait([coroutine])))
    coroutine.close()
