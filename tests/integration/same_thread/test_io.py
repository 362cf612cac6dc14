# SPDX-License-Identifier: Apache-2.0
"""Descriptors and networks on the same-thread loop."""

import asyncio
import contextlib
import gc
import os
import pathlib
import socket
import ssl
import subprocess
import unittest

import bridge_asyncio
import same_thread_native as native
from common import DEADLINE, run


class Descriptors(unittest.TestCase):
    def setUp(self):
        self.loop = bridge_asyncio.new_event_loop()
        self.addCleanup(self.loop.close)

    def pair(self):
        pair = socket.socketpair()
        for one in pair:
            one.setblocking(False)
            self.addCleanup(one.close)
        return pair

    def run_until(self, condition):
        async def wait():
            while not condition():
                await native.sleep(0.001)

        self.loop.run_until_complete(asyncio.wait_for(wait(), DEADLINE))

    def test_level_triggered(self):
        left, right = self.pair()
        calls = []
        self.loop.add_reader(right, calls.append, 1)
        left.send(b"unread")
        self.run_until(lambda: len(calls) > 20)  # again and again, as nobody reads
        right.recv(100)
        self.run_until(lambda: True)
        seen = len(calls)
        self.loop.run_until_complete(asyncio.sleep(0.01))
        self.assertEqual(len(calls), seen)
        left.send(b"more")
        self.run_until(lambda: len(calls) > seen)

    def test_level_triggered_while_native_work_is_under_way(self):
        left, right = self.pair()
        calls = []
        self.loop.add_reader(right, calls.append, 1)
        left.send(b"unread")
        spinning = self.loop.create_task(native.spin())
        self.run_until(lambda: len(calls) > 20)
        spinning.cancel()
        self.run_until(spinning.done)

    def test_reader_and_writer_on_one_descriptor(self):
        left, right = self.pair()
        seen = []
        self.loop.add_writer(right, seen.append, "writable")
        self.loop.add_reader(right, seen.append, "readable")
        self.run_until(lambda: "writable" in seen)
        self.assertNotIn("readable", seen)
        left.send(b"x")
        self.run_until(lambda: "readable" in seen)
        self.loop.remove_writer(right)
        self.run_until(lambda: True)
        del seen[:]
        self.run_until(lambda: "readable" in seen)
        self.assertNotIn("writable", seen)
        self.loop.remove_reader(right)

    def test_many_descriptors(self):
        pairs = [self.pair() for _ in range(200)]
        got = set()

        def readable(index):
            pairs[index][1].recv(10)
            got.add(index)

        for index, (_, right) in enumerate(pairs):
            self.loop.add_reader(right, readable, index)
        for _ in range(3):
            got.clear()
            for left, _ in pairs:
                left.send(b"x")
            self.run_until(lambda: len(got) == len(pairs))

    def test_a_descriptor_closed_behind_its_back(self):
        self.loop.run_until_complete(native.sleep(0.002))  # opens the descriptors that native I/O needs
        left, right = self.pair()
        self.loop.add_reader(right, lambda: None)
        number = right.fileno()
        right.close()
        self.loop.run_until_complete(native.sleep(0.002))
        # The number comes again for something else, which must work.
        again = [socket.socketpair() for _ in range(5)]
        self.assertIn(number, [s.fileno() for pair in again for s in pair])
        self.loop.remove_reader(number)
        seen = []
        for one, other in again:
            self.loop.add_reader(other, lambda s: seen.append(s.recv(10)), other)
            one.send(b"new")
        self.run_until(lambda: len(seen) == 5)
        for pair in again:
            self.loop.remove_reader(pair[1])
            for one in pair:
                one.close()

    def test_files_keep_their_blocking_mode(self):
        read, write = os.pipe()
        self.loop.add_reader(read, lambda: None)
        self.loop.run_until_complete(native.sleep(0.001))
        self.assertTrue(os.get_blocking(read))
        self.loop.remove_reader(read)
        os.close(read)
        os.close(write)

    def test_no_descriptor_is_left(self):
        def count():
            return len(os.listdir("/proc/self/fd"))

        run(native.hop())
        gc.collect()
        before = count()
        for _ in range(5):
            run(native.hop())
            bridge_asyncio.new_event_loop().close()
        gc.collect()
        self.assertEqual(count(), before)


class Networks(unittest.TestCase):
    def test_native_client_of_an_asyncio_server_on_one_thread(self):
        async def main():
            async def serve(reader, writer):
                writer.write(await reader.readexactly(5))
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            answers = await asyncio.gather(*(native.echo(port, f"{i:05}") for i in range(50)))
            server.close()
            await server.wait_closed()
            return answers

        self.assertEqual(run(main()), [f"{i:05}" for i in range(50)])

    def test_datagrams(self):
        class Echo(asyncio.DatagramProtocol):
            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, address):
                self.transport.sendto(data, address)

        class Client(asyncio.DatagramProtocol):
            def __init__(self):
                self.answer = asyncio.get_running_loop().create_future()

            def datagram_received(self, data, address):
                self.answer.set_result(data)

        async def main():
            loop = asyncio.get_running_loop()
            server, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
            address = server.get_extra_info("sockname")
            client, protocol = await loop.create_datagram_endpoint(Client, remote_addr=address)
            client.sendto(b"datagram")
            answer = await protocol.answer
            client.close()
            server.close()
            return answer

        self.assertEqual(run(main()), b"datagram")

    def test_unix_sockets(self):
        async def main():
            async def serve(reader, writer):
                writer.write((await reader.readline()).upper())
                writer.close()

            path = f"/tmp/bridge-{os.getpid()}.sock"
            server = await asyncio.start_unix_server(serve, path)
            try:
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(b"unix\n")
                answer = await reader.readline()
                writer.close()
                await writer.wait_closed()
            finally:
                server.close()
                with contextlib.suppress(FileNotFoundError):  # from CPython 3.13 on the server removes it
                    os.unlink(path)
            return answer

        self.assertEqual(run(main()), b"UNIX\n")

    def test_tls(self):
        # A key and a certificate for localhost, known to nobody but this test.
        pem = pathlib.Path(__file__).with_name("localhost.pem")
        theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        theirs.load_cert_chain(pem)
        ours = ssl.create_default_context(cafile=pem)

        async def main():
            async def serve(reader, writer):
                text = await reader.readline()
                await native.sleep(0.001)
                writer.write(text.upper() * 1000)
                writer.close()

            async def ask(i):
                reader, writer = await asyncio.open_connection("localhost", port, ssl=ours)
                writer.write(b"tls %d\n" % i)
                encrypted = writer.get_extra_info("cipher") is not None
                answer = await reader.read()
                writer.close()
                await writer.wait_closed()
                return answer, encrypted, await native.hop()

            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=theirs, family=socket.AF_INET)
            port = server.sockets[0].getsockname()[1]
            try:
                return await asyncio.gather(*(ask(i) for i in range(10)))
            finally:
                server.close()

        self.assertEqual(run(main()), [(b"TLS %d\n" % i * 1000, True, 1) for i in range(10)])

    def test_subprocesses(self):
        async def main():
            async def one(i):
                process = await asyncio.create_subprocess_exec(
                    "sh", "-c", f"cat; exit {i}", stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
                out, _ = await process.communicate(b"x" * 100_000)
                return len(out), process.returncode, await native.hop()

            return await asyncio.gather(*(one(i) for i in range(4)))

        self.assertEqual(run(main()), [(100_000, i, 1) for i in range(4)])

    def test_aiohttp_server_and_client(self):
        try:
            import aiohttp
            from aiohttp import web
        except ImportError:
            self.skipTest("aiohttp is not installed")

        async def answer(request):
            await native.sleep(0.001)
            return web.json_response({"got": await request.text(), "hop": await native.hop()})

        async def main():
            app = web.Application()
            app.router.add_post("/", answer)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            url = "http://127.0.0.1:%d/" % site._server.sockets[0].getsockname()[1]
            async with aiohttp.ClientSession() as session:

                async def ask(i):
                    async with session.post(url, data=str(i)) as response:
                        return (await response.json())["got"], response.status

                answers = await asyncio.gather(*(ask(i) for i in range(50)))
            await runner.cleanup()
            return answers

        self.assertEqual(run(main()), [(str(i), 200) for i in range(50)])


if __name__ == "__main__":
    unittest.main()
