# SPDX-License-Identifier: Apache-2.0
"""The hot form, which has begun when it is there, beside a task of the same coroutine."""

import asyncio
import gc

from program import ended, outcome, program, state, told_by, turns


@program
async def a_value(n, t):
    t(await n.hot_give(1), await n.hot_hop(2), await n.hot_call(lambda: n.hop(3)))


@program
async def an_error(n, t):
    t(await outcome(n.hot_fail(ValueError("a"))), await outcome(n.hot_hop_and_fail(ValueError("b"))))


@program
async def awaited_again(n, t):
    future = n.hot_hop(1)
    t(await future, await future, await asyncio.gather(future, future))
    failing = n.hot_hop_and_fail(ValueError("v"))
    t(await outcome(failing), await outcome(failing))


@program
async def awaited_by_two(n, t):
    future = n.hot_hop(1)
    t(await asyncio.gather(outcome(future), outcome(future), outcome(asyncio.shield(future))))


@program
async def it_goes_on_unawaited(n, t):
    event = asyncio.Event()

    async def below():
        event.set()

    future = n.hot_call(below)
    await event.wait()
    t(await ended(future))


@program
async def what_it_is(n, t):
    future = n.hot_forever()
    t(asyncio.isfuture(future), asyncio.iscoroutine(future), future.get_loop() is asyncio.get_running_loop())
    t(asyncio.ensure_future(future) is future, future.done(), future.cancelled())
    future.cancel()
    t(await outcome(future))


@program
async def result_and_exception(n, t):
    future = n.hot_forever()
    for read in (future.result, future.exception):
        try:
            read()
        except asyncio.InvalidStateError as error:
            t(error)
    future.cancel("msg")
    await asyncio.wait([future])
    try:
        future.result()
    except asyncio.CancelledError as error:
        t(told_by(error).args)
    done = n.hot_hop(1)
    await done
    t(done.result(), done.exception(), done.cancel(), state(done))
    failed = n.hot_hop_and_fail(KeyError("k"))
    await asyncio.wait([failed])
    t(failed.exception())
    try:
        failed.result()
    except KeyError as error:
        t(error is failed.exception())


@program
async def callbacks(n, t):
    variable_calls = []

    def never(_):
        t("must not be called")

    gate = n.Gate()
    future = n.hot_call(gate.wait)
    for i in range(3):
        future.add_done_callback(lambda f, i=i: t("callback", i, f is future))
    future.add_done_callback(never)
    future.add_done_callback(never)
    t(future.remove_done_callback(never), future.remove_done_callback(variable_calls.append))
    gate.open()
    await future
    await turns()
    future.add_done_callback(lambda f: t("late", f.done()))
    t("before late")
    await turns()


@program
async def a_callback_that_raises(n, t):
    future = n.hot_hop(1)
    future.add_done_callback(lambda _: 1 / 0)
    future.add_done_callback(lambda _: t("the next one"))
    await future
    await turns()


@program
async def callbacks_in_their_context(n, t):
    import contextvars

    variable = contextvars.ContextVar("variable")
    variable.set("current")
    context = contextvars.copy_context()
    context.run(variable.set, "given")
    future = n.hot_hop(1)
    future.add_done_callback(lambda _: t(variable.get()))
    future.add_done_callback(lambda _: t(variable.get()), context=context)
    variable.set("later")
    await future
    await turns()


@program
async def cancelled(n, t):
    for message in (None, "why"):
        future = n.hot_forever()
        await turns()
        t(future.cancel(message), future.cancelled(), await outcome(future), future.cancelled(), future.cancel())


@program
async def cancelled_with_a_keyword(n, t):
    future = n.hot_forever()
    await turns()
    t(future.cancel(msg="named"), await outcome(future))


@program
async def its_awaiter_is_cancelled(n, t):
    future = n.hot_forever()
    task = asyncio.create_task(outcome(future))
    await turns()
    task.cancel("through")
    t(await task, await ended(future))


@program
async def its_shielded_awaiter_is_cancelled(n, t):
    gate = n.Gate()
    future = n.hot_call(gate.wait)
    task = asyncio.create_task(outcome(asyncio.shield(future)))
    await turns()
    task.cancel("stops here")
    t(await task, state(future))
    gate.open()
    t(await ended(future))


@program
async def it_swallows(n, t):
    future = n.hot_swallow(n.forever, "value")
    await turns()
    t(future.cancel("why"), await outcome(future), state(future))


@program
async def in_wait_for(n, t):
    t(await asyncio.wait_for(n.hot_hop(1), 60))
    future = n.hot_forever()
    try:
        await asyncio.wait_for(future, 0.005)
    except asyncio.TimeoutError:
        t(state(future))


@program
async def in_wait(n, t):
    futures = [n.hot_hop(1), n.hot_forever()]
    done, pending = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    t(done == {futures[0]}, pending == {futures[1]})
    futures[1].cancel()
    t(await ended(*futures))


@program
async def in_as_completed(n, t):
    for one in asyncio.as_completed([n.hot_hop(1)]):
        t(await one)


@program
async def in_gather(n, t):
    t(await asyncio.gather(n.hot_hop(1), n.hot_hop_and_fail(ValueError("v")), n.hop(2), return_exceptions=True))


@program
async def below_the_others(n, t):
    for start in (n.call, n.hop_and_call, n.call_in_child):
        t(await start(lambda: n.hot_hop("hot")), await outcome(start(lambda: n.hot_hop_and_fail(KeyError("k")))))


@program
async def python_below_it_is_cancelled(n, t):
    begun = asyncio.Event()

    async def below():
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            t("below", error)
            raise

    future = n.hot_call(below)
    await begun.wait()
    t(future.cancel("why"), await outcome(future))


@program
async def stop_iteration(n, t):
    t(await outcome(n.hot_fail(StopIteration(1))), await outcome(n.hot_hop_and_fail(StopIteration(1))))


@program
def run_until_it_is_done(n, t):
    loop = asyncio.new_event_loop()

    async def start():
        return n.hot_hop("value")

    future = loop.run_until_complete(start())
    t(loop.run_until_complete(future))
    loop.close()


@program(differs="the hot form says 'Future', as asyncio.Future does, where a task says 'Task'")
async def nobody_retrieves_it(n, t):
    future = n.hot_hop_and_fail(ValueError("lost"))
    await asyncio.wait([future])
    del future
    gc.collect()
