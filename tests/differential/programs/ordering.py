# SPDX-License-Identifier: Apache-2.0
"""Who runs when, with callbacks of the loop in between."""

import asyncio

from program import outcome, program, turns


def _mark(t, *names):
    loop = asyncio.get_running_loop()
    for name in names:
        loop.call_soon(t, name)


@program
async def what_does_not_wait_lets_nobody_run(n, t):
    _mark(t, "callback")
    await n.give()
    await n.call(n.give)
    t("still first")
    await asyncio.sleep(0)


@program
async def one_turn_for_each_yield(n, t):
    loop = asyncio.get_running_loop()
    count = 0

    def tick():
        nonlocal count
        count += 1
        loop.call_soon(tick)

    loop.call_soon(tick)
    for make in (lambda: n.call(lambda: asyncio.sleep(0)), lambda: n.call(lambda: n.call(lambda: asyncio.sleep(0)))):
        before = count
        await make()
        t(count - before)
    before = count
    await n.call(lambda: turns(7))
    t(count - before)


@program
async def two_take_turns(n, t):
    async def speak(name):
        for i in range(3):
            t(name, i)
            await n.call(lambda: asyncio.sleep(0))

    await asyncio.gather(n.call(lambda: speak("a")), n.call(lambda: speak("b")), speak("c"))


@program
async def waiters_in_order(n, t):
    event = asyncio.Event()

    async def wait(i):
        await n.call(event.wait)
        t("woken", i)

    tasks = [asyncio.create_task(wait(i)) for i in range(4)]
    await turns()
    event.set()
    _mark(t, "callback")
    await asyncio.gather(*tasks)


@program
async def a_lock(n, t):
    lock = asyncio.Lock()

    async def use(i):
        await n.call(lock.acquire)
        t("in", i)
        await n.call(lambda: asyncio.sleep(0))
        t("out", i)
        lock.release()

    await asyncio.gather(*(n.call(lambda i=i: use(i)) for i in range(4)))


@program
async def a_queue(n, t):
    queue = asyncio.Queue(2)

    async def produce():
        for i in range(5):
            await n.call(lambda: queue.put(i))
            t("put", i)

    async def consume():
        for _ in range(5):
            t("got", await n.call(queue.get))

    await asyncio.gather(n.call(produce), n.call(consume))


@program
async def callbacks_of_a_task(n, t):
    task = asyncio.create_task(n.call(lambda: asyncio.sleep(0)))
    for name in ("first", "second"):
        task.add_done_callback(lambda _, name=name: t(name))
    await task
    t("awaiter")
    await turns()


@program
async def error_among_others(n, t):
    async def one(i):
        await n.call(lambda: asyncio.sleep(0))
        t("runs", i)
        if i == 1:
            raise ValueError(i)

    t(await asyncio.gather(*(n.call(lambda i=i: one(i)) for i in range(3)), return_exceptions=True))


@program
async def cancel_among_others(n, t):
    event = asyncio.Event()

    async def one(i):
        try:
            await n.call(event.wait)
        finally:
            t("ends", i)

    tasks = [asyncio.create_task(one(i)) for i in range(3)]
    await turns()
    tasks[2].cancel()
    event.set()
    tasks[0].cancel()
    _mark(t, "callback")
    t(await asyncio.gather(*map(outcome, tasks)))


@program
async def completions_wake_in_order(n, t):
    gates = [n.Gate() for _ in range(3)]

    async def one(i):
        await gates[i].wait()
        t("through", i)

    tasks = [asyncio.create_task(one(i)) for i in range(3)]
    await turns()
    for i in (1, 0, 2):
        gates[i].open()
        await tasks[i]
    t("all")


@program
async def callbacks_queued_before_a_completion_run_before_it(n, t):
    async def work():
        await n.hop()
        _mark(t, "by the first")
        await n.call(lambda: asyncio.sleep(0))
        t("after a turn")

    await work()


@program(since=(3, 12))
async def eager_tasks(n, t):
    loop = asyncio.get_running_loop()
    if not hasattr(loop, "set_task_factory"):
        return
    loop.set_task_factory(asyncio.eager_task_factory)
    for make in (n.give, n.hop, lambda: n.call(n.give), lambda: n.call(lambda: asyncio.sleep(0, 1))):
        task = asyncio.create_task(make())
        t(task.done(), await task)
    t(await outcome(asyncio.create_task(n.fail(ValueError("v")))))
    task = asyncio.create_task(n.forever())
    t(task.done(), task.cancel("why"), await outcome(task))
    async with asyncio.TaskGroup() as group:
        group.create_task(n.hop())
        group.create_task(n.call(lambda: n.hop()))
    t(await n.call_in_child(lambda: n.hop("child")), await n.call_in_child(n.give))
    loop.set_task_factory(None)


@program
async def run_until_complete_again(n, t):
    t(await asyncio.gather(*(n.hop_and_call(lambda i=i: n.hop(i)) for i in range(20))))
