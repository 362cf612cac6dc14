# SPDX-License-Identifier: Apache-2.0
"""gather and TaskGroup."""

import asyncio

from program import ended, is_awaited, outcome, program, state, turns, until


@program
async def gather_in_order(n, t):
    t(await asyncio.gather(n.hop(1), n.give(2), asyncio.sleep(0, 3), n.call(lambda: n.hop(4))))


@program
async def gather_fails(n, t):
    tasks = [asyncio.create_task(n.forever()), asyncio.create_task(n.hop_and_fail(ValueError("v")))]
    t(await outcome(asyncio.gather(*tasks)), [state(task) for task in tasks])
    tasks[0].cancel()
    t(await outcome(tasks[0]))


@program
async def gather_returns_exceptions(n, t):
    together = asyncio.gather(
        n.hop(1),
        n.fail(ValueError("v")),
        n.hop_and_fail(asyncio.CancelledError("c")),
        n.call(lambda: 1 / 0),
        return_exceptions=True,
    )
    t(await outcome(together))


@program
async def gather_nothing_and_one_twice(n, t):
    coroutine = n.hop(1)
    t(await asyncio.gather(), await asyncio.gather(coroutine, coroutine))


@program
async def gather_below(n, t):
    async def all_of():
        return await asyncio.gather(n.hop(1), n.hop(2))

    t(await n.call(all_of), await n.hop_and_call(all_of), await n.call_in_child(all_of))


@program
async def gather_below_cancelled(n, t):
    for start in (n.call, n.hop_and_call, n.call_in_child):
        tasks = [asyncio.create_task(n.forever()) for _ in range(2)]
        made = []
        task = asyncio.create_task(start(lambda: made.append(asyncio.gather(*tasks)) or made[0]))
        await until(lambda: made and is_awaited(made[0]))
        await turns()
        task.cancel("why")
        t(await outcome(task), await ended(*tasks))


@program(since=(3, 11))
async def group_of_results(n, t):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(n.hop(i)) for i in range(5)]
        tasks.append(group.create_task(n.call(lambda: n.give("called"))))
    t([task.result() for task in tasks])


@program(since=(3, 11))
async def group_with_a_failure(n, t):
    async def victim():
        try:
            await n.forever()
        finally:
            t("victim ends")

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(n.call(victim))]
            await turns()
            tasks.append(group.create_task(n.hop_and_fail(ValueError("v"))))
    except BaseException as error:
        t(error)
    t([state(task) for task in tasks])


@program(since=(3, 11))
async def group_whose_body_waits(n, t):
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(n.hop_and_fail(ValueError("v")))
            await n.forever()
    except BaseException as error:
        t(error)


@program(since=(3, 11))
async def group_waits_for_unwinding(n, t):
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(n.unwind_slowly(lambda: t("unwound")))
            await turns()
            group.create_task(n.fail(KeyError("k")))
    except BaseException as error:
        t("group ends", error)


@program(since=(3, 11))
async def group_cancelled_from_outside(n, t):
    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(n.unwind_slowly(lambda: t("unwound")))

    task = asyncio.create_task(main())
    await turns()
    task.cancel("outside")
    t(await outcome(task))


@program(since=(3, 11))
async def group_below(n, t):
    async def below():
        async with asyncio.TaskGroup() as group:
            one = group.create_task(n.hop(1))
            two = group.create_task(n.call(lambda: n.hop(2)))
        return one.result(), two.result()

    t(await n.call(below), await n.hop_and_call(below), await n.call_in_child(below))


@program(since=(3, 11))
async def groups_nested(n, t):
    async def below():
        async with asyncio.TaskGroup() as group:
            group.create_task(n.call(n.forever))
            group.create_task(n.hop_and_fail(ValueError("inner")))

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(n.call(below))
            group.create_task(n.forever())
    except BaseException as error:
        t(error)


@program(since=(3, 11))
async def group_with_a_base_exception(n, t):
    class Severe(BaseException):
        pass

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(n.hop_and_fail(Severe("s")))
    except BaseException as error:
        t(type(error).__name__, [one.args for one in error.exceptions])
