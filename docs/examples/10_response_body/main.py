# SPDX-License-Identifier: Apache-2.0
"""A response body of aiohttp's client, consumed in C++: a consumer that does not ask stops the sender."""

import asyncio
import zlib

import aiohttp
from aiohttp import web
from example_response_body import checksum

CHUNKS, SIZE = 1000, 2**16
sent = 0


def chunk(number):
    return bytes([number % 256]) * SIZE


async def download(request):
    global sent
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(CHUNKS):
        await response.write(chunk(number))  # waits while the client takes nothing
        sent += 1
    return response


async def until_the_sender_waits():
    seen, turns = sent, 0
    while turns < 1000:  # of the loop that the server runs in, too
        await asyncio.sleep(0)
        seen, turns = (seen, turns + 1) if sent == seen else (sent, 0)
    print("the sender waits before it has sent all:", 3 <= sent < CHUNKS)


async def main():
    app = web.Application()
    app.add_routes([web.get("/", download)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]

    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{port}/") as response:
        received = await checksum(response.content.iter_chunked(SIZE), until_the_sender_waits)
    expected = 0
    for number in range(CHUNKS):
        expected = zlib.crc32(chunk(number), expected)
    print("all has arrived:", sent == CHUNKS and received == expected)
    await runner.cleanup()


asyncio.run(main())
