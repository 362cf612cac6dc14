# SPDX-License-Identifier: Apache-2.0
"""Ten Python consumers of one C++ producer, which has a thread of its own."""

import asyncio
from contextlib import aclosing

from example_feed import Feed

ITEMS = 1000


async def consume(number, items):
    seen = []
    async with aclosing(items):
        async for item in items:
            seen.append(item)
            if number % 5 == 4 and len(seen) == 10 * number:  # leaves early
                break
    return seen


async def main():
    feed = Feed()
    subscriptions = [feed.subscribe() for _ in range(10)]
    feed.start(ITEMS)
    consumers = [consume(*one) for one in enumerate(subscriptions)]
    for number, seen in enumerate(await asyncio.gather(*consumers)):
        print(f"consumer {number}: {len(seen)} items, in order: {seen == list(range(len(seen)))}")


asyncio.run(main())
