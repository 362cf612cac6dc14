# SPDX-License-Identifier: Apache-2.0
import asyncio

import timers


async def main():
    print(await asyncio.gather(*(timers.sleep(0.01) for _ in range(3))))
    try:
        await asyncio.wait_for(timers.sleep(3600), 0.01)
    except asyncio.TimeoutError:
        print("cancelled in time")


asyncio.run(main())
print(asyncio.run(timers.sleep(seconds=0.01)))
