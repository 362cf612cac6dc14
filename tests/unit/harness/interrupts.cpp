// SPDX-License-Identifier: Apache-2.0
// Ctrl-C while Python cannot raise what it means; test_interrupts.py knows what each must say.
#include <bridge/harness/harness.hpp>

BRIDGE_TEST_PY(in_a_weak_references_callback, R"(
    import asyncio
    import signal
    import weakref

    class Referred:
        pass

    async def test():
        thing = Referred()
        reference = weakref.ref(thing, lambda _: signal.raise_signal(signal.SIGINT))
        del thing
        await asyncio.sleep(3600)
)")

BRIDGE_TEST_PY(while_the_loop_does_not_run, R"(
    import gc
    import signal
    import weakref

    class Referred:
        pass

    def interrupt(_):
        signal.raise_signal(signal.SIGINT)

    async def test():
        gc.disable()  # until the harness collects
        thing = Referred()
        thing.itself = thing
        gc.kept_reference = weakref.ref(thing, interrupt)
)")

BRIDGE_TEST_PY(is_the_next, R"(
    async def test():
        pass
)")
