# SPDX-License-Identifier: Apache-2.0
import asyncio

import connections

accepted = 0
unanswered = asyncio.Semaphore(0)


async def serve(reader, writer):
    global accepted
    accepted += 1
    while question := await reader.readline():
        if question == b"never\n":
            unanswered.release()
            continue
        await asyncio.sleep(0.001)
        writer.write(b"answer to " + question)
    writer.close()


async def ask(port):
    client = connections.Client(port, connections=4)
    answers = await asyncio.gather(*(client.ask(f"{n}") for n in range(200)))
    print(answers == [f"answer to {n}" for n in range(200)], "over", accepted, "connections")

    waiting = [asyncio.create_task(client.ask("never")) for _ in range(4)]
    queued = asyncio.create_task(client.ask("queued"))
    for _ in waiting:
        await unanswered.acquire()
    print("queued:", not queued.done())
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    print(await queued, "over", accepted, "connections")


async def main():
    # From Python 3.12 on the server waits here for its connections, which end with the client.
    async with await asyncio.start_server(serve, "127.0.0.1") as server:
        await ask(server.sockets[0].getsockname()[1])

    try:
        await connections.Client(port=1, connections=1).ask("nobody")
    except ConnectionRefusedError:
        print("refused")


asyncio.run(main())
