// SPDX-License-Identifier: Apache-2.0
// Beginning something when the interpreter is about to end.
#pragma once

namespace bridge::detail {

/// For what would begin once the exit hook runs: throws interpreter_gone on the thread that ends
/// the interpreter; any other stays here for ever. Requires the GIL.
void refuse_at_exit();

} // namespace bridge::detail
