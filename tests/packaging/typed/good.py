# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, Optional, assert_type

import bridge_asyncio
import typed


async def main() -> int:
    account = assert_type(await typed.open(really=True), typed.Account)
    lookup: Coroutine[Any, Any, Optional[str]] = typed.find(["x"])
    assert_type(await lookup, Optional[str])
    assert_type(await typed.find(among=["x"], what="y"), Optional[str])
    numbers = assert_type(typed.count(to=3), AsyncGenerator[int, None])
    async for n in numbers:
        assert_type(n, int)
    task = asyncio.create_task(account.balance())
    assert_type(task, asyncio.Task[int])
    both = await asyncio.gather(account.balance(), typed.find(["x"]))
    assert_type(both, tuple[int, Optional[str]])
    await asyncio.wait_for(typed.close(account), 1)
    bridge_asyncio.print_tasks()
    return typed.plain(await task)


assert_type(bridge_asyncio.run(main()), int)
assert_type(bridge_asyncio.run(main(), debug=True), int)
assert_type(bridge_asyncio.blocking(typed.find(["x"])), Optional[str])
assert_type(bridge_asyncio.new_event_loop(), bridge_asyncio.EventLoop)
with asyncio.Runner(loop_factory=bridge_asyncio.new_event_loop) as runner:
    assert_type(runner.run(main()), int)
error: RuntimeError = bridge_asyncio.NativeError("native")
images: int = bridge_asyncio.stats()["images"]
