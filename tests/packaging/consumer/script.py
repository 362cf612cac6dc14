# SPDX-License-Identifier: Apache-2.0
import asyncio

import greeter

assert asyncio.run(greeter.greet(name="world")) == "hello, world"
