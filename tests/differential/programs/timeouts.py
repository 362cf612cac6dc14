# SPDX-License-Identifier: Apache-2.0
"""wait_for, timeout, wait, as_completed."""

import asyncio

from program import ended, outcome, program, state, turns


@program
async def wait_for_in_time(n, t):
    for timeout in (None, 60):
        t(await asyncio.wait_for(n.give(1), timeout), await asyncio.wait_for(n.hop(2), timeout))


@program
async def wait_for_too_long(n, t):
    try:
        await asyncio.wait_for(n.forever(), 0.005)
    except asyncio.TimeoutError as error:
        t(type(error).__name__, error.args)


@program
async def wait_for_no_time(n, t):
    for timeout in (0, -1):
        try:
            await asyncio.wait_for(n.forever(), timeout)
        except asyncio.TimeoutError as error:
            t(type(error).__name__, error.args)


@program
async def wait_for_waits_for_the_end(n, t):
    try:
        await asyncio.wait_for(n.unwind_slowly(lambda: t("unwound")), 0.005)
    except asyncio.TimeoutError:
        t("time is up")


@program
async def wait_for_what_swallows(n, t):
    t(await outcome(asyncio.wait_for(n.swallow(n.forever, "value"), 0.005)))


@program
async def wait_for_what_fails_instead(n, t):
    try:
        await asyncio.wait_for(n.convert(n.forever, ValueError("instead")), 0.005)
    except ValueError as error:
        t(error.args)


@program
async def wait_for_cancelled_from_outside(n, t):
    task = asyncio.create_task(asyncio.wait_for(n.forever(), 60))
    await turns()
    task.cancel("outside")
    t(await outcome(task))


@program
async def wait_for_below(n, t):
    async def below():
        try:
            await asyncio.wait_for(n.forever(), 0.005)
        except asyncio.TimeoutError:
            return "timed out below"

    t(await n.call(below), await n.hop_and_call(below), await n.call_in_child(below))


@program(since=(3, 11))
async def timeout_expires(n, t):
    for make in (n.forever, lambda: n.call(n.forever), lambda: n.call(asyncio.Event().wait)):
        try:
            async with asyncio.timeout(0.005) as limit:
                await make()
        except TimeoutError as error:
            t(type(error.__cause__).__name__, error.__cause__.args, limit.expired())
        t(asyncio.current_task().cancelling())


@program(since=(3, 11))
async def timeout_below(n, t):
    async def below():
        try:
            async with asyncio.timeout(0.005):
                await n.forever()
        except TimeoutError:
            return "timed out below"

    t(await n.call(below), await n.hop_and_call(below), await n.call_in_child(below))


@program(since=(3, 11))
async def timeout_in_time(n, t):
    async with asyncio.timeout(60) as limit:
        t(await n.hop(1), await n.call(lambda: n.hop(2)))
    t(limit.expired())


@program(since=(3, 11))
async def timeout_of_no_time(n, t):
    try:
        async with asyncio.timeout(0):
            await n.forever()
    except TimeoutError:
        t("time is up")


@program(since=(3, 11))
async def timeouts_nested(n, t):
    try:
        async with asyncio.timeout(0.005) as outer:
            async with asyncio.timeout(60) as inner:
                await n.call(n.forever)
    except TimeoutError:
        t(outer.expired(), inner.expired())


@program(since=(3, 11))
async def timeout_rescheduled(n, t):
    try:
        async with asyncio.timeout(None) as limit:
            limit.reschedule(asyncio.get_running_loop().time())
            await n.call(n.forever)
    except TimeoutError:
        t(limit.expired())


@program(since=(3, 11))
async def timeout_and_cancel(n, t):
    async def main():
        async with asyncio.timeout(60):
            await n.forever()

    task = asyncio.create_task(main())
    await turns()
    task.cancel("why")
    t(await outcome(task))


@program(since=(3, 11))
async def timeout_swallowed(n, t):
    async with asyncio.timeout(0.005) as limit:
        t(await n.swallow(n.forever, "value"))
    t(limit.expired(), asyncio.current_task().cancelling())


@program
async def wait_first_completed(n, t):
    tasks = [asyncio.create_task(n.forever()), asyncio.create_task(n.hop(1))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    t(*map(state, done), *map(state, pending))
    tasks[0].cancel()
    t(await ended(*tasks))


@program
async def wait_first_exception(n, t):
    tasks = [asyncio.create_task(n.forever()), asyncio.create_task(n.hop_and_fail(ValueError("first")))]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    t(*map(state, done), *map(state, pending))
    tasks[0].cancel()
    t(await ended(*tasks))


@program
async def wait_times_out(n, t):
    task = asyncio.create_task(n.forever())
    done, pending = await asyncio.wait([task], timeout=0.005)
    t(len(done), len(pending), state(task))
    task.cancel()
    t(await ended(task))


@program
async def as_completed(n, t):
    gates = [n.Gate() for _ in range(3)]

    async def one(i):
        await gates[i].wait()
        return i

    todo = asyncio.as_completed([n.call(lambda i=i: one(i)) for i in range(3)])
    await turns()
    for i, next_one in zip((2, 0, 1), todo):
        gates[i].open()
        t(await next_one)


@program
async def as_completed_times_out(n, t):
    for one in asyncio.as_completed([n.forever()], timeout=0.005):
        try:
            await one
        except asyncio.TimeoutError as error:
            t(type(error).__name__)


@program
async def as_completed_with_an_error(n, t):
    for one in asyncio.as_completed([n.hop_and_fail(ValueError("v"))]):
        t(await outcome(one))
