// SPDX-License-Identifier: Apache-2.0
// Tests that close standard descriptors, and what later ones find; test_standard.py runs them.
#include <bridge/harness/harness.hpp>

#include <unistd.h>

BRIDGE_TEST(is_rid_of_its_output) {
    ::close(STDOUT_FILENO);
    co_return;
}

BRIDGE_TEST_PY(breaks_its_loop, R"(
    import asyncio
    import os

    async def test():
        loop = asyncio.get_running_loop()

        def fail():
            del loop.close
            raise OSError("this loop cannot be closed")

        loop.close = fail
        os.close(1)
)")

BRIDGE_TEST_PY(finds_its_output, R"(
    import os

    async def test():
        place = os.readlink("/proc/self/fd/1")
        assert not place.startswith("anon_inode:"), place
)",
               serial())
