# SPDX-License-Identifier: Apache-2.0
"""An aiohttp server whose handler asks Redis: `server.py LOOP HANDLER REDIS_PORT`; prints its own port."""

import asyncio
import sys

import bench_redis
import bridge_asyncio
from aiohttp import web

CONNECTIONS = 32


def ask_by_bridge(port):
    on_loop = isinstance(asyncio.get_running_loop(), bridge_asyncio.EventLoop)
    client = bench_redis.Client(port, CONNECTIONS, on_loop)
    return lambda: client.get("key")


def ask_by_redis_py(port):
    import redis.asyncio
    pool = redis.asyncio.BlockingConnectionPool(port=port, max_connections=CONNECTIONS, decode_responses=True)
    client = redis.asyncio.Redis(connection_pool=pool)
    return lambda: client.get("key")


def ask_by_to_thread(port):
    return lambda: asyncio.to_thread(bench_redis.get_blocking, port, "key")


def ask_nobody(_port):
    async def answer():
        return "value"

    return answer


ASK = {"bridge": ask_by_bridge, "redis-py": ask_by_redis_py, "to_thread": ask_by_to_thread, "no Redis": ask_nobody}


def new_loop(name):
    if name == "uvloop":
        import uvloop
        return uvloop.new_event_loop()
    return bridge_asyncio.new_event_loop() if name == "same-thread" else asyncio.new_event_loop()


async def serve(handler, redis_port):
    ask = ASK[handler](redis_port)

    async def handle(_request):
        return web.Response(text=await ask())

    application = web.Application()
    application.router.add_get("/", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main():
    loop_name, handler, redis_port = sys.argv[1:4]
    new_loop(loop_name).run_until_complete(serve(handler, int(redis_port)))


if __name__ == "__main__":
    main()
