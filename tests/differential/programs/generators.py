# SPDX-License-Identifier: Apache-2.0
"""Async generators: C++ coroutines that yield, iterated in every way that Python has."""

import asyncio
import contextlib
import gc

from program import outcome, program, state, turns


async def take(generator, t, count):
    for _ in range(count):
        t(await outcome(generator.__anext__()))


def cleaner(t, name="clean"):
    async def clean():
        t(name, "begins")
        await asyncio.sleep(0)
        t(name, "ends")

    return clean


@program(kit="O1")
async def iterated_to_the_end(n, t):
    t([i async for i in n.count(4)], [i async for i in n.hop_and_count(4)], [i async for i in n.count(0)])


@program(kit="O1")
async def by_anext_and_after_the_end(n, t):
    await take(n.count(2), t, 4)
    await take(n.hop_and_count(2), t, 4)


@program(kit="O2 O3")
async def two_steps_at_once(n, t):
    generator = n.wait_and_count(gate := n.Gate(), 3)
    first = asyncio.ensure_future(generator.__anext__())
    await turns()
    t(await outcome(generator.__anext__()))
    t(await outcome(generator.asend(1)))
    t(await outcome(generator.athrow(ValueError("why"))))
    t(await outcome(generator.aclose()))
    gate.open()
    t(await outcome(first))
    t(await outcome(generator.aclose()))
    await take(generator, t, 1)


@program(kit="O4")
async def closed_before_it_began(n, t):
    generator = n.guarded(3, cleaner(t))
    t(await outcome(generator.aclose()))
    await take(generator, t, 1)
    t(await outcome(generator.aclose()))


@program(kit="O1 O11")
async def closed_in_the_middle(n, t):
    generator = n.guarded(3, cleaner(t))
    await take(generator, t, 1)
    t(await outcome(generator.aclose()))
    await take(generator, t, 1)
    t(await outcome(generator.aclose()), await outcome(generator.athrow(ValueError("late"))))


@program(kit="O1 O7")
async def closed_by_aclosing_at_a_break(n, t):
    async with contextlib.aclosing(n.guarded(9, cleaner(t))) as generator:
        async for i in generator:
            t(i)
            if i == 1:
                break
    t("after")


@program(kit="O5")
async def a_break_alone_runs_nothing(n, t):
    generator = n.guarded(9, cleaner(t))
    async for i in generator:
        break
    await turns()
    t("nothing yet")
    await generator.aclose()


@program(kit="O6")
async def dropped_after_a_break(n, t):
    generator = n.guarded(9, cleaner(t))
    async for i in generator:
        break
    t("dropped")
    del generator
    gc.collect()
    await turns()
    t("after")


@program(kit="O20")
async def left_at_the_end_of_the_run(n, t):
    generator = n.guarded(9, cleaner(t))
    await take(generator, t, 1)
    asyncio.get_running_loop().kept = generator


@program(kit="O8")
async def cancelled_while_it_waits(n, t):
    generator = n.wait_and_count(n.Gate(), 3)
    task = asyncio.ensure_future(generator.__anext__())
    await turns()
    task.cancel("why")
    t(await outcome(task), state(task))
    await take(generator, t, 1)


@program(kit="O8")
async def cancelled_and_goes_on(n, t):
    generator = n.swallowing()
    task = asyncio.ensure_future(generator.__anext__())
    await turns()
    task.cancel("why")
    t(await outcome(task))
    await take(generator, t, 2)


@program(kit="O1 O10")
async def thrown_into(n, t):
    generator = n.catching()
    await take(generator, t, 1)
    error = ValueError("why")
    t(await generator.athrow(error) is error)
    t(await outcome(generator.athrow(KeyError("other"))))
    await take(generator, t, 1)
    t(await outcome(generator.athrow(error)))


@program(kit="O10")
async def thrown_into_before_it_began(n, t):
    generator = n.count(3)
    t(await outcome(generator.athrow(ValueError("why"))))
    await take(generator, t, 1)


@program(kit="O13")
async def sent_to(n, t):
    generator = n.echo()
    t(await outcome(generator.asend(1)))
    await take(generator, t, 1)
    for value in ("text", 7, None, [1]):
        t(await outcome(generator.asend(value)))
    await generator.aclose()


@program(kit="O14 O15")
async def that_fails(n, t):
    for error in (ValueError("why"), KeyError("key"), StopIteration(1), StopAsyncIteration(), asyncio.CancelledError("c")):
        await take(n.failing(2, error), t, 4)


@program(kit="O12")
async def that_yields_when_it_is_closed(n, t):
    generator = n.stubborn()
    await take(generator, t, 1)
    t(await outcome(generator.aclose()))


@program(kit="O1")
async def a_step_awaited_twice(n, t):
    generator = n.count(3)
    step = generator.__anext__()
    t(await outcome(step), await outcome(step))
    close = generator.aclose()
    t(await outcome(close), await outcome(close))


@program(kit="O1")
async def what_it_awaits_belongs_to_the_task_that_asks(n, t):
    async def who():
        await asyncio.sleep(0)
        return asyncio.current_task() is task

    async def consume():
        return [i async for i in n.calling(who, 3)]

    task = asyncio.ensure_future(consume())
    t(await task)


@program(kit="O1", since=(3, 11))
async def within_a_time_out(n, t):
    generator = n.guarded_wait(cleaner(t))
    try:
        async with asyncio.timeout(0.001):
            async for i in generator:
                t(i)
    except TimeoutError:
        t("timed out")
    await take(generator, t, 1)


@program(kit="O1", since=(3, 11))
async def in_a_failing_task_group(n, t):
    async def consume(generator):
        async for i in generator:
            t(i)

    async def fail():
        await turns()
        raise ValueError("why")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(consume(n.guarded_wait(cleaner(t))))
            group.create_task(fail())
    except BaseException as error:
        t(error)


@program(kit="O1")
async def several_at_once(n, t):
    async def sum_of(generator):
        return sum([i async for i in generator])

    t(await asyncio.gather(*(sum_of(n.hop_and_count(i)) for i in range(10))))
