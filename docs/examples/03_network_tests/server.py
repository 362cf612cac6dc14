# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server in the loop of the test that starts it."""

import asyncio

import aiohttp
from aiohttp import web


class Server:
    """Answers /echo/x with x, and /together once `together` requests are waiting there."""

    def __init__(self, together):
        self.together = together
        self.waiting = 0
        self.all_here = asyncio.Event()

    async def echo(self, request):
        return web.Response(text=request.match_info["text"])

    async def wait_for_all(self, request):
        self.waiting += 1
        if self.waiting == self.together:
            self.all_here.set()
        await self.all_here.wait()
        return web.Response(text=str(self.waiting))

    async def start(self):
        app = web.Application()
        app.add_routes([web.get("/echo/{text}", self.echo), web.get("/together", self.wait_for_all)])
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0, backlog=512)
        await site.start()
        self.port = self.runner.addresses[0][1]
        return self

    async def stop(self):
        await self.runner.cleanup()


def start(together=0):
    return Server(together).start()


async def fetch(port, path):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}{path}") as response:
            return await response.text()
