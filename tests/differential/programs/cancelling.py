# SPDX-License-Identifier: Apache-2.0
"""Cancellation of tasks that run the functions."""

import asyncio

from program import ended, is_awaited, outcome, program, state, turns, until


async def _start(coroutine):
    task = asyncio.create_task(coroutine)
    await turns()
    return task


@program
async def before_it_starts(n, t):
    for message in (None, "why"):
        task = asyncio.create_task(n.hop(1))
        t(task.cancel(message), await outcome(task), state(task))


@program
async def while_it_works(n, t):
    for message in (None, "why", 17, ("a", "tuple")):
        task = await _start(n.forever())
        t(task.cancel(message), await outcome(task), state(task))


@program
async def without_a_message_argument(n, t):
    task = await _start(n.forever())
    t(task.cancel(), await outcome(task))


@program
async def while_python_below_waits(n, t):
    async def below():
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            t("below", error)
            raise

    for start in (n.call, n.hop_and_call, n.call_in_child):
        begun = asyncio.Event()
        task = asyncio.create_task(start(below))
        await begun.wait()
        await turns()
        t(task.cancel("why"), await outcome(task))


@program
async def through_many_layers(n, t):
    async def layer(depth):
        try:
            await n.call(lambda: layer(depth - 1) if depth else n.forever())
        except asyncio.CancelledError as error:
            t(depth, error.args)
            raise
        finally:
            t("finally", depth)

    task = await _start(layer(5))
    t(task.cancel("down"), await outcome(task))


@program
async def twice_at_once(n, t):
    task = await _start(n.forever())
    t(task.cancel("first"), task.cancel("second"), await outcome(task))


@program
async def twice_while_it_unwinds(n, t):
    task = await _start(n.unwind_slowly(lambda: t("unwound")))
    task.cancel("first")
    await asyncio.wait([task])
    t(task.cancel("second"), state(task))


@program
async def its_end_is_waited_for(n, t):
    task = await _start(n.unwind_slowly(lambda: t("unwound")))
    task.cancel()
    t(await outcome(task))
    t("after")


@program
async def after_it_ended(n, t):
    task = asyncio.create_task(n.hop(1))
    await task
    t(task.cancel(), state(task))


@program
async def swallowed(n, t):
    for body in (n.forever, lambda: asyncio.sleep(3600), asyncio.Event().wait):
        task = await _start(n.swallow(body, "kept on"))
        t(task.cancel("why"), await outcome(task), state(task))


@program
async def swallowed_by_python_below(n, t):
    async def below():
        begun.set()
        try:
            await n.forever()
        except asyncio.CancelledError as error:
            t("below", error)
            return await n.hop("value")

    for start in (n.call, n.hop_and_call, n.call_in_child):
        begun = asyncio.Event()
        task = asyncio.create_task(start(below))
        await begun.wait()
        task.cancel("why")
        t(await outcome(task))


@program
async def swallowed_and_cancelled_again(n, t):
    begun = []

    async def below():
        begun.append(True)
        return await n.swallow(n.forever, "first swallowed")

    async def twice():
        t(await below())
        t(await below())
        return "end"

    task = await _start(n.call(twice))
    task.cancel("one")
    await until(lambda: len(begun) == 2)
    task.cancel("two")
    t(await outcome(task))


@program
async def turned_into_an_error(n, t):
    task = await _start(n.convert(n.forever, ValueError("instead")))
    task.cancel("why")
    try:
        await task
    except ValueError as error:
        t(error.args, state(task))


@program
async def clean_up_awaits_python(n, t):
    async def clean():
        t("clean-up begins")
        await asyncio.sleep(0.001)
        t("clean-up ends")

    for body in (asyncio.Event().wait, n.forever):
        task = await _start(n.with_cleanup(body, clean))
        task.cancel("why")
        t(await outcome(task))


@program
async def clean_up_is_cancelled_too(n, t):
    async def clean():
        try:
            await asyncio.Event().wait()
        finally:
            t("clean-up ends")

    task = await _start(n.with_cleanup(asyncio.Event().wait, clean))
    task.cancel("one")
    await turns()
    t(task.done())
    task.cancel("two")
    try:
        await task
    except asyncio.CancelledError as error:
        t(error.args)


@program
async def clean_up_after_success(n, t):
    async def clean():
        await n.hop()
        t("cleaned")

    t(await n.with_cleanup(lambda: n.give(1), clean))


@program(since=(3, 11))
async def cancelling_and_uncancel(n, t):
    async def main():
        task = asyncio.current_task()
        try:
            await n.forever()
        except asyncio.CancelledError as error:
            t(error, task.cancelling(), task.uncancel())
        t(await n.hop("goes on"), task.cancelling())
        return "end"

    task = await _start(main())
    t(task.cancel("one"), task.cancel("two"), task.cancelling())
    t(await outcome(task), task.cancelling(), task.uncancel())


@program
async def oneself_before_an_await(n, t):
    async def main(awaitable):
        asyncio.current_task().cancel("me")
        return await awaitable

    for awaitable in (n.give(1), n.forever(), n.call(lambda: asyncio.sleep(0))):
        t(await outcome(asyncio.create_task(main(awaitable))))


@program
async def between_wake_up_and_step(n, t):
    event = asyncio.Event()
    task = await _start(n.call(event.wait))
    event.set()
    t(task.cancel("late"), await outcome(task))


@program
async def a_future_below(n, t):
    future = asyncio.get_running_loop().create_future()
    task = await _start(n.await_it(future))
    t(task.cancel("why"), await outcome(task), future.cancelled())


@program
async def a_future_below_by_somebody_else(n, t):
    for start in (n.call, n.hop_and_call, n.call_in_child):
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(start(lambda: future))
        await until(lambda: is_awaited(future))
        future.cancel("other")
        t(await outcome(task), state(task))


@program
async def a_task_below_by_somebody_else(n, t):
    inner = asyncio.create_task(n.forever())
    outer = await _start(n.await_it(inner))
    inner.cancel("inner")
    t(await outcome(outer), state(outer), state(inner))


@program
async def a_gather(n, t):
    tasks = [asyncio.create_task(n.forever()), asyncio.create_task(n.call(n.forever))]
    together = asyncio.gather(*tasks)
    await turns()
    t(together.cancel("all"), await outcome(together), await ended(*tasks))


@program
async def one_of_a_gather(n, t):
    tasks = [asyncio.create_task(n.forever()), asyncio.create_task(n.hop(2))]
    together = asyncio.gather(*tasks, return_exceptions=True)
    await turns()
    tasks[0].cancel("one")
    t(await outcome(together))


@program
async def a_shielded_one(n, t):
    gate = n.Gate()
    inner = asyncio.ensure_future(gate.wait())
    outer = asyncio.create_task(outcome(asyncio.shield(inner)))
    await turns()
    outer.cancel("outer")
    t(await outer, state(inner))
    gate.open()
    t(await ended(inner))


@program
async def a_shielded_coroutine(n, t):
    done = asyncio.Event()

    async def below():
        await n.hop()
        done.set()

    outer = asyncio.create_task(outcome(asyncio.shield(n.call(below))))
    await asyncio.sleep(0)
    outer.cancel()
    t(await outer)
    await done.wait()
    t("went on")


@program
async def state_afterwards(n, t):
    task = await _start(n.forever())
    task.cancel("msg")
    t(await ended(task), task.cancelled(), task.done())
    for read in (task.result, task.exception):
        try:
            read()
        except asyncio.CancelledError as error:
            t(error.args)


@program
def left_over_at_the_end_of_run(n, t):
    async def below():
        try:
            await n.forever()
        finally:
            t("below ends")

    async def main():
        asyncio.create_task(n.call(below), name="left")
        await n.hop()
        return "end"

    t(asyncio.run(main()))
