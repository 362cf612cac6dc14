# SPDX-License-Identifier: Apache-2.0
import asyncio

import cancellation_types


async def main():
    for name in ("unfiltered", "partial", "total", "only_total"):
        task = asyncio.create_task(getattr(cancellation_types, name)())
        await asyncio.sleep(0)
        task.cancel()
        print(f"{name}:", (await task).strip())


asyncio.run(main())
