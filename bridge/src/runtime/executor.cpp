// SPDX-License-Identifier: Apache-2.0
#include <bridge/executor.hpp>

namespace bridge::detail {

executor make_executor(scheduler& on, task_locals locals) {
    struct plain_strand final : strand {
        using strand::strand;
    };

    const auto made =
        intrusive_ptr<strand>::adopt(new plain_strand(on, std::move(locals), current_slot()));
    made->leave();
    return executor_of(made);
}

} // namespace bridge::detail
