# SPDX-License-Identifier: Apache-2.0
"""What plain asyncio takes for something comparable."""

import asyncio


async def noop():
    return 1


def in_tasks(tasks, one):
    """So many tasks, each awaiting one after the other."""

    async def body(count):
        async def worker():
            for _ in range(count // tasks):
                await one()

        await asyncio.gather(*(worker() for _ in range(tasks)))

    return body


def in_batches(size, batch):
    async def body(count):
        for _ in range(count // size):
            await batch(size)

    return body


def gathered(one):
    async def body(count):
        await asyncio.gather(*(one() for _ in range(count)))

    return body


def call_soon_future():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon(future.set_result, None)
    return future


async def r1_one(count):
    for _ in range(count):
        await call_soon_future()


async def r2(count):
    for _ in range(count):
        await noop()


async def r3(count):
    loop = asyncio.get_running_loop()

    def from_thread():
        waiting = []
        for _ in range(count):
            waiting.append(asyncio.run_coroutine_threadsafe(noop(), loop))
            if len(waiting) == 64:
                waiting.pop(0).result()
        for one in waiting:
            one.result()

    await loop.run_in_executor(None, from_thread)


async def numbers(count):
    for i in range(count):
        yield i


async def r4(count):
    async for _ in numbers(count):
        pass


async def through_queue(count):
    queue = asyncio.Queue(64)

    async def produce():
        for i in range(count):
            await queue.put(i)

    task = asyncio.create_task(produce())
    for _ in range(count):
        await queue.get()
    await task


async def cancel_futures(count):
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(count)]
    for one in futures:
        one.cancel()
    await asyncio.gather(*futures, return_exceptions=True)
