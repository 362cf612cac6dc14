# SPDX-License-Identifier: Apache-2.0
"""What a spawned child runs."""

import asyncio

import lifetime_native


def hop():
    assert asyncio.run(lifetime_native.hop()) == 1
