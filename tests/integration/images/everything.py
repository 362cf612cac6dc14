# SPDX-License-Identifier: Apache-2.0
"""All that the images of these tests do, of each image at once."""

import asyncio
import signal


async def ends_of_file(native, rounds):
    try:
        await native.sockets(rounds)
    except EOFError:
        return rounds
    raise AssertionError("the connection was closed, and nobody said so")


async def everything(images, rounds=20, signals=True):
    """Of each image all kinds of work, beside that of the others and of Python's own."""
    numbers = (signal.SIGUSR1, signal.SIGUSR2)
    work = []
    for number, native in zip(numbers, images):
        work += [ends_of_file(native, rounds) for _ in range(8)]
        work += [native.datagrams(rounds), native.timers(rounds), native.resolve(rounds), native.posts(rounds)]
        work += [native.signals(number, rounds)] if signals else []
    for one, two in (images, images[::-1]):
        work += [one.relay(two.timers(rounds)), one.relay(two.relay(one.datagrams(rounds)))]
    assert await asyncio.gather(*work) == [rounds] * len(work)
    await asyncio.sleep(0.001)


async def cancelled(images):
    """What waits is cancelled, and its descriptors are closed."""
    for native in images:
        for make in (lambda: native.timers(10**9), lambda: native.datagrams(10**9)):
            task = asyncio.ensure_future(make())
            await asyncio.sleep(0.001)
            task.cancel()
            assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)


async def main(images):
    await everything(images)
    await cancelled(images)
    await everything(images)
