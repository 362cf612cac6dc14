// SPDX-License-Identifier: Apache-2.0
// Which threads a crossing runs on if it names no runtime.
#pragma once

namespace bridge {
class task_locals;
}

namespace bridge::detail {

class scheduler;

/// The loop's own thread if an io_context runs in that loop's selector, else the default runtime.
/// No GIL. Throws what starting the default runtime throws.
scheduler& scheduler_of(const task_locals& locals);

/// The same for a crossing whose locals may be missing: then for the running loop. Requires the
/// GIL.
scheduler& choose_scheduler(const task_locals& locals);

} // namespace bridge::detail
