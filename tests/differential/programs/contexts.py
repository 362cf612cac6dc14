# SPDX-License-Identifier: Apache-2.0
"""contextvars, current_task and the running loop."""

import asyncio
import contextvars

from program import outcome, program, turns

variable = contextvars.ContextVar("variable", default="unset")


async def _get():
    await asyncio.sleep(0)
    return variable.get()


async def _set(value):
    await asyncio.sleep(0)
    variable.set(value)


@program
async def set_outside(n, t):
    variable.set("outside")
    t(await n.call(_get), await n.hop_and_call(_get), await n.call_in_child(_get))


@program
async def set_below(n, t):
    await n.call(lambda: _set("below"))
    t(variable.get())
    await n.hop_and_call(lambda: _set("below, after a hop"))
    t(variable.get(), await n.call(_get))


@program
async def a_child_keeps_its_changes(n, t):
    variable.set("outside")
    await n.call_in_child(lambda: _set("in the child"))
    t(variable.get())


@program
async def set_between(n, t):
    async def nothing():
        pass

    t(await n.call_each([lambda: _set("one"), _get, nothing, lambda: n.call(_get), lambda: n.hop_and_call(_get)]))


@program
async def set_below_and_seen_by_a_child(n, t):
    async def child():
        return await n.call_in_child(_get)

    t(await n.call_each([lambda: _set("changed"), child]))


@program
async def reset_below(n, t):
    async def below():
        token = variable.set("for a while")
        t(await n.call(_get))
        variable.reset(token)
        return variable.get()

    t(await n.call(below), await n.hop_and_call(below))


@program
async def tasks_do_not_mix(n, t):
    async def one(i):
        variable.set(i)
        await n.hop()
        await n.call(lambda: asyncio.sleep(0))
        return variable.get(), await n.hop_and_call(_get)

    t(await asyncio.gather(*(n.call(lambda i=i: one(i)) for i in range(5))), variable.get())


@program(since=(3, 11))
async def a_task_with_a_context_of_its_own(n, t):
    context = contextvars.copy_context()
    context.run(variable.set, "given")
    t(await asyncio.create_task(n.call(_get), context=context))
    await asyncio.create_task(n.call(lambda: _set("changed")), context=context)
    t(context[variable], variable.get())


@program
async def in_callbacks(n, t):
    variable.set("at add_done_callback")
    task = asyncio.create_task(n.hop())
    task.add_done_callback(lambda _: t(variable.get()))
    variable.set("later")
    await task
    await turns()


@program
async def current_task(n, t):
    outer = asyncio.current_task()

    async def below():
        before = asyncio.current_task() is outer
        await asyncio.sleep(0)
        return before, asyncio.current_task() is outer

    t(await n.call(below), await n.hop_and_call(below), await n.call_in_child(below))
    t(await n.call(lambda: n.call(below)))


@program
async def current_task_of_a_function(n, t):
    def now():
        t(asyncio.current_task() is outer, asyncio.get_running_loop() is loop)
        return n.give()

    outer, loop = asyncio.current_task(), asyncio.get_running_loop()
    await n.call(now)


@program
async def the_running_loop(n, t):
    loop = asyncio.get_running_loop()

    async def below():
        await asyncio.sleep(0)
        return asyncio.get_running_loop() is loop

    t(await n.call(below), await n.hop_and_call(below), await n.call_in_child(below))


@program
async def all_tasks(n, t):
    async def below():
        return len(asyncio.all_tasks())

    t(await n.call(below), await n.call(lambda: n.call(below)), await n.hop_and_call(below))


@program
async def a_coroutine_that_is_not_in_a_task(n, t):
    t(await outcome(n.await_it(n.call(_get))))
