// SPDX-License-Identifier: Apache-2.0
// Why a run stops before its end.
#pragma once

namespace bridge::cli {

/// Why nothing more may be started.
enum class stop_reason { none, interrupted, run_timeout };

} // namespace bridge::cli
