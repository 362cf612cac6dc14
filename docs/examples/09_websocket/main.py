# SPDX-License-Identifier: Apache-2.0
"""A C++ WebSocket client, iterated in Python, against an aiohttp server."""

import asyncio
from contextlib import aclosing

from aiohttp import WSMsgType, web
from example_websocket import messages


async def five(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    for number in range(5):
        await socket.send_str(f"message {number}")
    await socket.close()
    return socket


async def endless(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)

    async def send():
        while True:
            await socket.send_str("again")  # goes into a buffer
            await asyncio.sleep(0)  # so that the loop sees the client's close in time

    sending = asyncio.create_task(send())
    async for message in socket:
        assert message.type is not WSMsgType.ERROR
    sending.cancel()
    request.app["closed"].set_result(socket.close_code)
    return socket


async def main():
    app = web.Application()
    app["closed"] = asyncio.get_running_loop().create_future()
    app.add_routes([web.get("/five", five), web.get("/endless", endless)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]

    async for message in messages(port, "/five"):
        print(message)

    async with aclosing(messages(port, "/endless")) as some:  # closes the socket, and awaits that
        async for message in some:
            print(message)
            break
    print("the server saw the client close with", await app["closed"])
    await runner.cleanup()


asyncio.run(main())
