# SPDX-License-Identifier: Apache-2.0
"""All that can be awaited, awaited by the functions: directly, after a hop, in a task of its own."""

import asyncio
import types

from program import outcome, program, turns


async def _three_ways(n, make):
    """What each way of awaiting it gives; a new one for each."""
    return [await outcome(start(make)) for start in (n.call, n.hop_and_call, n.call_in_child)]


class Awaitable:
    def __init__(self, *steps, result=None):
        self.steps, self.result = steps, result

    def __await__(self):
        for step in self.steps:
            yield from step()
        return self.result


@program
async def a_coroutine(n, t):
    async def coroutine():
        await asyncio.sleep(0)
        return "value"

    t(await _three_ways(n, coroutine))


@program
async def a_coroutine_that_does_not_suspend(n, t):
    async def coroutine():
        return "value"

    t(await _three_ways(n, coroutine))


@program
async def a_task(n, t):
    tasks = [asyncio.create_task(asyncio.sleep(0, "value")) for _ in range(3)]
    t(await _three_ways(n, tasks.pop))


@program
async def a_task_that_is_done(n, t):
    task = asyncio.create_task(asyncio.sleep(0, "value"))
    await task
    t(await _three_ways(n, lambda: task))


@program
async def a_task_that_failed(n, t):
    async def fail():
        raise ValueError("v")

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    t(await _three_ways(n, lambda: task))


@program
async def a_future(n, t):
    loop = asyncio.get_running_loop()
    futures = []

    def make():
        futures.append(loop.create_future())
        return futures[-1]

    for start in (n.call, n.hop_and_call, n.call_in_child):
        task = asyncio.create_task(start(make))
        while not futures:
            await n.hop()
        await turns()
        futures.pop().set_result("value")
        t(await task)


@program
async def a_future_that_is_done(n, t):
    future = asyncio.get_running_loop().create_future()
    future.set_result("value")
    t(await _three_ways(n, lambda: future))


@program
async def a_future_that_failed(n, t):
    future = asyncio.get_running_loop().create_future()
    future.set_exception(KeyError("k"))
    t(await _three_ways(n, lambda: future))


@program
async def a_future_that_is_cancelled(n, t):
    for start in (n.call, n.hop_and_call, n.call_in_child):
        future = asyncio.get_running_loop().create_future()
        future.cancel("gone")
        t(await outcome(start(lambda: future)))


@program
async def an_object_with_await(n, t):
    sleep = asyncio.sleep
    t(await _three_ways(n, lambda: Awaitable(result="at once")))
    t(await _three_ways(n, lambda: Awaitable(lambda: sleep(0).__await__(), result="after a turn")))
    t(await _three_ways(n, lambda: Awaitable(lambda: n.hop().__await__(), result="after native work")))


@program
async def an_object_whose_await_raises(n, t):
    class Broken:
        def __await__(self):
            raise ValueError("no await today")

    t(await _three_ways(n, Broken))


@program
async def an_object_whose_await_gives_no_iterator(n, t):
    class Wrong:
        def __await__(self):
            return 5

    async def kind(awaitable):
        try:
            await awaitable
        except TypeError as error:
            return type(error).__name__

    t([await kind(start(Wrong)) for start in (n.call, n.hop_and_call, n.call_in_child)])


@program
async def an_iterator_without_send_or_throw(n, t):
    class Steps:
        def __init__(self):
            self.left = 3

        def __iter__(self):
            return self

        def __next__(self):
            if self.left == 0:
                raise StopIteration("end")
            self.left -= 1

        def __await__(self):
            return self

    t(await _three_ways(n, Steps))
    task = asyncio.create_task(n.await_it(Steps()))
    await asyncio.sleep(0)
    task.cancel("why")
    t(await outcome(task))


@program
async def run_in_executor(n, t):
    loop = asyncio.get_running_loop()
    for start in (n.call, n.call_in_child):
        t(await outcome(start(lambda: loop.run_in_executor(None, lambda: "from a thread"))))
        t(await outcome(start(lambda: loop.run_in_executor(None, lambda: 1 / 0))))


@program
async def wrap_future(n, t):
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        t(await n.call(lambda: asyncio.wrap_future(pool.submit(lambda: "from a pool"))))


async def _numbers(t):
    try:
        for i in range(5):
            await asyncio.sleep(0)
            got = yield i
            if got is not None:
                t("got", got)
    except (ValueError, GeneratorExit) as error:
        t("generator", error)
        raise
    finally:
        t("generator ends")


@program
async def steps_of_an_async_generator(n, t):
    generator = _numbers(t)
    t(await n.await_it(generator.__anext__()), await n.await_it(generator.asend("sent")))
    t(await n.await_it(anext(generator)))
    t(await outcome(n.await_it(generator.athrow(ValueError("thrown")))))
    t(await outcome(n.await_it(generator.__anext__())))


@program
async def steps_in_a_task_of_their_own(n, t):
    generator = _numbers(t)
    t(await n.call_in_child(lambda: generator.__anext__()), await n.call_in_child(lambda: generator.asend("sent")))
    t(await outcome(n.call_in_child(lambda: generator.aclose())))


@program
async def end_of_an_async_generator(n, t):
    async def empty():
        return
        yield

    t(await outcome(n.await_it(empty().__anext__())), await outcome(n.await_it(anext(empty(), "default"))))
    generator = _numbers(t)
    t(await n.await_it(generator.__anext__()), await n.await_it(generator.aclose()))


@program
async def a_step_that_is_cancelled(n, t):
    async def endless():
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            t("generator ends")

    generator = endless()
    t(await n.await_it(generator.__anext__()))
    task = asyncio.create_task(n.await_it(generator.__anext__()))
    await turns()
    task.cancel("why")
    t(await outcome(task))


@program
async def a_generator_based_coroutine(n, t):
    @types.coroutine
    def old():
        yield
        return (yield from asyncio.sleep(0, "value").__await__())

    t(await _three_ways(n, old))


@program
async def one_of_ours(n, t):
    t(await _three_ways(n, lambda: n.hop(1)), await _three_ways(n, lambda: n.give(2)))
    t(await _three_ways(n, lambda: n.hop_and_fail(ValueError("v"))))


@program
async def a_gather(n, t):
    gathers = [asyncio.gather(asyncio.sleep(0, 1), n.hop(2)) for _ in range(3)]
    t(await _three_ways(n, gathers.pop))


def _plain_generator():
    yield


@program
async def what_cannot_be_awaited(n, t):
    async def kind(awaitable):
        try:
            await awaitable
        except BaseException as error:
            return type(error).__name__

    for thing in (None, 5, "text", object(), len, [], _plain_generator(), type):
        t([await kind(start(lambda: thing)) for start in (n.call, n.hop_and_call)])
    for thing in (None, 5, "text", object(), len, [], type):
        t(await kind(n.call_in_child(lambda: thing)))


@program
async def a_coroutine_awaited_before(n, t):
    async def coroutine():
        return 1

    for start in (n.call, n.hop_and_call):
        used = coroutine()
        await used
        t(await outcome(start(lambda: used)))


@program
async def a_coroutine_that_somebody_awaits(n, t):
    event = asyncio.Event()

    async def coroutine():
        await event.wait()

    used = coroutine()

    async def first():
        await used

    task = asyncio.create_task(first())
    await turns()
    t(await outcome(n.await_it(used)))
    event.set()
    await task


@program
async def what_yields_no_future(n, t):
    @types.coroutine
    def odd(value):
        yield value

    for value in (5, "text", ()):
        t(await outcome(asyncio.create_task(n.call(lambda: odd(value)))) == "gives None")
