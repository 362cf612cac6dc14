// SPDX-License-Identifier: Apache-2.0
// Tests have no terminal, under CTest as under bridge-test.
#pragma once

namespace bridge::harness {

/// Gives up the terminal, unless it is a person's who runs the program by itself. bridge-test has
/// done so for its tests; CTest leaves them its own, which they could change, and whose keys they
/// could take. Ctrl-C still ends them.
void leave_terminal();

} // namespace bridge::harness
