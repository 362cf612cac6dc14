// SPDX-License-Identifier: Apache-2.0
// Two tests of one id: this program must refuse to list them.
#include <bridge/harness/harness.hpp>

BRIDGE_SUITE("twice")

namespace first {
BRIDGE_TEST_SYNC(same) {}
} // namespace first

namespace second {
BRIDGE_TEST_SYNC(same) {}
} // namespace second
