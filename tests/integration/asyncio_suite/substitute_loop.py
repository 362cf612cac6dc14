# SPDX-License-Identifier: Apache-2.0
"""Our event loop in place of asyncio's selector loop, for tests that know nothing of ours."""

import asyncio
import asyncio.unix_events


def substitute():
    """From here on asyncio makes our loops."""
    import bridge_asyncio

    class Substitute(bridge_asyncio.EventLoop):
        def __init__(self, selector=None):
            if selector is not None:
                selector.close()  # the test's choice of one; ours waits for all
            super().__init__()
            Substitute.made += 1

    Substitute.made = 0
    Substitute.__name__ = Substitute.__qualname__ = "EventLoop"
    Substitute.__module__ = "asyncio.unix_events"  # by which suites choose what they expect of asyncio
    for module in (asyncio, asyncio.unix_events):
        for name in ("SelectorEventLoop", "EventLoop"):
            if hasattr(module, name):
                setattr(module, name, Substitute)
    policy = getattr(asyncio.unix_events, "_UnixDefaultEventLoopPolicy", None) or getattr(
        asyncio.unix_events, "_DefaultEventLoopPolicy"
    )
    policy._loop_factory = Substitute
    return Substitute
