// SPDX-License-Identifier: Apache-2.0
// Bounded capture.
#include "process/capture.hpp"

#include <algorithm>

namespace bridge::cli {

void capture::append(std::string_view bytes) {
    const auto to_head = std::min(bytes.size(), head_limit_ - head_.size());
    head_ += bytes.substr(0, to_head);
    tail_ += bytes.substr(to_head);
    // Cutting only at twice the limit keeps the cost per byte constant.
    if (tail_.size() > 2 * tail_limit_) {
        const auto surplus = tail_.size() - tail_limit_;
        tail_.erase(0, surplus);
        dropped_ += surplus;
    }
}

std::string capture::text() const {
    if (dropped_ == 0)
        return head_ + tail_;
    return head_ + "\n[... " + std::to_string(dropped_) + " bytes of output dropped ...]\n" + tail_;
}

} // namespace bridge::cli
