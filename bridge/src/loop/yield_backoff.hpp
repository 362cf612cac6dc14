// SPDX-License-Identifier: Apache-2.0
// Letting other threads of this processor go on before one sleeps or takes what there is.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace bridge::detail {

/// Yields while it helps; otherwise backs off. If others take the processor for long in such a
/// moment, again and again, it hardly yields any more: what is posted meanwhile wakes nobody.
class yield_backoff {
    using clock = std::chrono::steady_clock;

public:
    /// Yields if it is its turn; true if it did.
    bool yield() noexcept {
        if (left_ > 0) {
            --left_;
            return false;
        }
        const auto before = clock::now();
        std::this_thread::yield();
        was_long_ = clock::now() - before > longest;
        return true;
    }

    /// What came of it. After each yield.
    void note(bool gained) noexcept {
        skipped_ = gained ? 0 : std::min(2 * skipped_ + 1, most_skipped);
        skipped_after_long_ =
            was_long_ ? std::min(2 * skipped_after_long_ + 8, most_after_long) : 0;
        left_ = std::max(skipped_, skipped_after_long_);
    }

private:
    static constexpr int most_skipped = 3;
    static constexpr int most_after_long = 250;
    static constexpr std::chrono::microseconds longest{500};

    int skipped_ = 0;
    int skipped_after_long_ = 0;
    int left_ = 0;
    bool was_long_ = false;
};

} // namespace bridge::detail
