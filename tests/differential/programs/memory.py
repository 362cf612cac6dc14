# SPDX-License-Identifier: Apache-2.0
"""What is kept alive, by whom, and what is not."""

import asyncio
import gc
import weakref

from program import program, show, turns


@program
async def a_task_dropped_while_it_waits(n, t):
    async def below():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            t("below ends")

    task = asyncio.get_running_loop().create_task(n.call(below))
    await turns()
    gone = weakref.ref(task)
    del task
    gc.collect()
    await turns()
    t(gone() is None)


@program
async def kept_alive_only_by_what_it_waits_for(n, t):
    gate = n.Gate()
    seen = []
    asyncio.create_task(gate.wait()).add_done_callback(lambda task: seen.append(show(task.result())))
    await turns()
    gc.collect()
    gate.open()
    while not seen:
        await n.hop()
    t(seen)


@program
async def nothing_is_kept_of_a_failed_task(n, t):
    class Marked(Exception):
        pass

    async def below():
        raise Marked

    async def main(make):
        task = asyncio.create_task(make())
        gone.append(weakref.ref(task))
        try:
            await task
        except Marked as error:
            gone.append(weakref.ref(error))

    gone = []
    gc.collect()
    gc.disable()
    try:
        for make in (lambda: n.call(below), lambda: n.hop_and_call(below), lambda: n.call_in_child(below)):
            await asyncio.create_task(main(make))
            await n.hop()
            await turns(3)
    finally:
        gc.enable()
    gc.collect()
    await n.hop()
    t([one() is None for one in gone])
