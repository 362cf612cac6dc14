# SPDX-License-Identifier: Apache-2.0
"""Programs and modules with the bridge in them, built in different ways, in one process under one loop.

BRIDGE_ROUNDS=50 in the environment runs every program so often, instead of once.
"""

import itertools
import os
import unittest

from programs import Programs

ROUNDS = int(os.environ.get("BRIDGE_ROUNDS", "1"))
BUILDS = os.environ["IMAGES_BUILDS"].split()

LOOPS = {
    "asyncio": "from asyncio import run",
    "same_thread": "from bridge_asyncio import run",
    "uvloop": "import asyncio, uvloop; uvloop.install(); run = asyncio.run",
}

HEAD = "import signal, threading, asyncio, os\nfrom everything import main, everything\n"

ENDS = {
    "once": "run(main(images))",
    "one loop after the other": "run(everything(images)); run(everything(images[::-1]))",
    "in two threads": (
        # Only one of them can wait for signals.
        "failed = []\n"
        "async def quiet():\n"
        "    for _ in range(3):\n"
        "        await asyncio.gather(*(i.datagrams(20) for i in images), *(i.timers(20) for i in images))\n"
        "    await images[0].relay(images[1].resolve(3))\n"
        "def other():\n"
        "    try: run(quiet())\n"
        "    except BaseException as e: failed.append(e)\n"
        "beside = threading.Thread(target=other); beside.start()\n"
        "run(main(images)); beside.join(); assert not failed, failed"
    ),
    "work under way at the end": (
        "async def leave():\n"
        "    global kept\n"
        "    await everything(images)\n"
        "    kept = [asyncio.ensure_future(i.datagrams(10**9)) for i in images]\n"
        "    await asyncio.sleep(0.001)\n"
        "run(leave())"
    ),
    "in a forked child": (
        "import warnings\n"
        "warnings.filterwarnings('ignore', '.*is multi-threaded', DeprecationWarning)  # since Python 3.12\n"
        "run(everything(images))\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        # Asio's pipe for signals is the parent's there.
        "    run(everything(images, signals=False)); os._exit(7)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
        "run(everything(images))"
    ),
}


def has(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True


class Images(Programs):
    pass


def add_case(loop, one, two, name, end):
    def test(self):
        program = f"{HEAD}{LOOPS[loop]}\nimport images_{one} as a, images_{two} as b\nimages = (a, b)\n{end}"
        self.check(program, rounds=ROUNDS)

    if loop == "uvloop":
        test = unittest.skipUnless(has("uvloop"), "uvloop is not installed")(test)
    setattr(Images, "_".join(["test", loop, one, "with", two, *name.split()]), test)


for loop in LOOPS:
    for one, two in itertools.product(BUILDS, BUILDS):
        add_case(loop, one, f"{two}_2" if two == one else two, "once", ENDS["once"])
for loop in LOOPS:
    for name, end in ENDS.items():
        if name != "once":
            add_case(loop, "release", "release_2", name, end)
            add_case(loop, "debug", "release", name, end)


class ApartFromTheOthers(Programs):
    """Another version keeps to itself, and says so; it works beside the others."""

    def test_another_version(self):
        self.check_beside_each_loop("images_other_version")

    @unittest.skipUnless(os.environ["IMAGES_OTHER_BOOST"], "the build has no other Boost: -DIMAGES_OTHER_BOOST=headers")
    def test_another_boost(self):
        self.check_beside_each_loop("images_other_boost")

    def check_beside_each_loop(self, other):
        for loop, head in LOOPS.items():
            if loop == "uvloop" and not has("uvloop"):
                continue
            for order in (f"images_release as a, {other} as b", f"{other} as b, images_release as a"):
                with self.subTest(loop=loop, order=order):
                    self.check(
                        f"{HEAD}{head}\nimport {order}\nimages = (a, b)\nrun(main(images))",
                        words=["RuntimeWarning: this module was built with", "each keeps to itself"],
                        rounds=ROUNDS,
                    )


if __name__ == "__main__":
    unittest.main()
