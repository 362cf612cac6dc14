# SPDX-License-Identifier: Apache-2.0
"""What native.cpp does, written with async def: the reference that it is compared with."""

import asyncio
import concurrent.futures

_thread = concurrent.futures.ThreadPoolExecutor(1)


def _set(future):
    if not future.done():
        future.set_result(None)


async def _post():
    """Suspends always; run_in_executor does not from CPython 3.14 on, if the thread was quick."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    _thread.submit(loop.call_soon_threadsafe, _set, future)
    await future


async def give(value=None):
    return value


async def fail(exception):
    raise exception


async def hop(value=None):
    await _post()
    return value


async def hop_and_fail(exception):
    await _post()
    raise exception


async def pause(seconds):
    await asyncio.sleep(seconds)


async def forever():
    await asyncio.sleep(3600)


async def call(function):
    return await function()


async def hop_and_call(function):
    await _post()
    return await function()


async def call_in_child(function):
    return await asyncio.ensure_future(function())


async def await_it(awaitable):
    return await awaitable


async def call_each(functions):
    return [await function() for function in functions]


async def with_cleanup(body, clean):
    try:
        return await body()
    finally:
        await clean()


async def swallow(body, value):
    try:
        return await body()
    except asyncio.CancelledError:
        pass
    return value


async def convert(body, exception):
    try:
        return await body()
    except asyncio.CancelledError:
        pass
    raise exception


async def unwind_slowly(at_end):
    try:
        await forever()
    except asyncio.CancelledError:
        pass
    await _post()
    await _post()
    at_end()
    raise asyncio.CancelledError


class Gate:
    def __init__(self):
        self.passes = asyncio.Queue()

    async def wait(self):
        await self.passes.get()

    def open(self):
        self.passes.put_nowait(None)


async def count(n):
    for i in range(n):
        yield i


async def hop_and_count(n):
    for i in range(n):
        await _post()
        yield i


async def wait_and_count(gate, n):
    for i in range(n):
        await gate.wait()
        yield i


async def guarded(n, clean):
    try:
        for i in range(n):
            yield i
    finally:
        await clean()


async def guarded_wait(clean):
    try:
        yield 1
        await forever()
    finally:
        await clean()


async def failing(n, exception):
    for i in range(n):
        yield i
    raise exception


async def swallowing():
    try:
        await forever()
    except asyncio.CancelledError:
        pass
    yield "swallowed"
    await _post()
    yield "after"


async def catching():
    caught = "ready"
    while True:
        try:
            yield caught
        except ValueError as error:
            caught = error


async def echo():
    value = None
    while True:
        value = yield value


async def stubborn():
    while True:
        try:
            yield 1
        except GeneratorExit:
            yield 2


async def calling(function, n):
    for _ in range(n):
        yield await function()


def _hot(coroutine):
    return asyncio.ensure_future(coroutine)


def hot_give(value):
    return _hot(give(value))


def hot_fail(exception):
    return _hot(fail(exception))


def hot_hop(value):
    return _hot(hop(value))


def hot_hop_and_fail(exception):
    return _hot(hop_and_fail(exception))


def hot_forever():
    return _hot(forever())


def hot_call(function):
    return _hot(call(function))


def hot_swallow(body, value):
    return _hot(swallow(body, value))
