# SPDX-License-Identifier: Apache-2.0
# Each marked line is a mistake that a type checker must find.
import bridge_asyncio
import typed


async def main() -> None:
    _a: str = await typed.Account().balance()  # wrong
    _b: int = typed.Account().balance()  # wrong
    await typed.find("x", 1)  # wrong
    await typed.plain(1)  # wrong
    await typed.count(3)  # wrong
    for _c in typed.count(3):  # wrong
        pass
    await typed.close()  # wrong


_d: str = bridge_asyncio.run(main())  # wrong
bridge_asyncio.run(main)  # wrong
bridge_asyncio.blocking(1)  # wrong
