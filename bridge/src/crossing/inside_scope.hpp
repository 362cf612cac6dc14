// SPDX-License-Identifier: Apache-2.0
// Python code that runs below an awaitable of ours.
#pragma once

#include "python/exit.hpp"

#include <utility>

namespace bridge::detail {

/// Marks an object as one that runs Python code, in this call: another thread may end the
/// interpreter meanwhile, and then this one stays where it is. Requires the GIL.
class inside_scope {
public:
    explicit inside_scope(bool& inside) noexcept
        : inside_(inside), before_(std::exchange(inside, true)) {}

    inside_scope(const inside_scope&) = delete;
    inside_scope& operator=(const inside_scope&) = delete;

    ~inside_scope() {
        stay_at_exit();
        inside_ = before_;
    }

private:
    bool& inside_;
    bool before_;
};

} // namespace bridge::detail
