# SPDX-License-Identifier: Apache-2.0
"""Values on their way through."""

import asyncio

from program import outcome, program, turns


@program
async def a_value(n, t):
    t(await n.give(7), await n.hop(8))


@program
async def nothing(n, t):
    t(await n.give(), await n.hop(), await n.pause(0))


@program
async def keywords(n, t):
    t(await n.give(value="named"), await outcome(n.give(value=1)))


@program
async def values_that_look_like_something_else(n, t):
    for value in [(), (1, 2), ValueError("v"), StopIteration(3), StopIteration, ValueError, NotImplemented, None]:
        t(await n.give(value), await n.hop(value))


@program
async def the_same_object(n, t):
    value = object()
    t(await n.give(value) is value, await n.hop(value) is value, await n.call(lambda: n.give(value)) is value)


@program
async def a_gather_of_many(n, t):
    t(await asyncio.gather(*(n.hop(i) for i in range(200))))


@program
async def nested(n, t):
    async def down(depth):
        if depth == 0:
            await asyncio.sleep(0)
            return "bottom"
        return await n.call(lambda: down(depth - 1))

    t(await n.call(lambda: down(20)))


@program
async def nested_across_threads(n, t):
    async def down(depth):
        return "bottom" if depth == 0 else await n.hop_and_call(lambda: down(depth - 1))

    t(await down(10))


@program
async def one_after_the_other(n, t):
    t(await n.call_each([lambda: n.give(1), lambda: asyncio.sleep(0, 2), lambda: n.hop(3), lambda: n.call(n.give)]))


@program
async def in_comprehensions_and_loops(n, t):
    async def numbers():
        for i in range(3):
            yield await n.hop(i)

    t([await n.give(i) for i in range(3)], [i async for i in numbers()])
    async for i in numbers():
        t(await n.hop(i))


@program
async def as_context_manager(n, t):
    class Manager:
        async def __aenter__(self):
            return await n.hop("in")

        async def __aexit__(self, kind, error, traceback):
            t("out", error)
            return await n.hop(True)

    async with Manager() as value:
        t(value)
        raise ValueError("gone")


@program
async def a_gate(n, t):
    gate = n.Gate()
    tasks = [asyncio.create_task(gate.wait()) for _ in range(3)]
    await turns()
    t([task.done() for task in tasks])
    for _ in tasks:
        gate.open()
    t(await asyncio.gather(*tasks))


@program
async def tasks_with_names(n, t):
    task = asyncio.create_task(n.hop(1), name="one")
    t(task.get_name(), await task, task.get_name(), task.get_coro().__name__, task.get_coro().__qualname__)
