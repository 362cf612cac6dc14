// SPDX-License-Identifier: Apache-2.0
// The choices of one run, drawn from a numbered list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bridge::harness {

/// Each draw gives zero, which is what happens without a tape, unless the tape has a choice for its
/// number. One thread at a time.
class tape {
public:
    struct choice {
        unsigned draw; ///< its number, from one
        unsigned chosen;
    };

    tape() = default;

    explicit tape(std::vector<choice> choices) : choices_(std::move(choices)) {}

    /// "7:1,9:2" as text() gives it; nothing if it is not that.
    static std::optional<tape> parse(std::string_view text);

    std::string text() const;

    /// One of 0 to `of` - 1.
    unsigned draw(unsigned of);

    unsigned drawn() const noexcept { return drawn_; }

    /// How many of its choices were drawn: all of them if it fits the run.
    bool is_used_up() const noexcept { return used_ == choices_.size(); }

    /// Whether a draw is to have this choice.
    bool chooses(unsigned chosen) const noexcept;

    bool is_empty() const noexcept { return choices_.empty(); }

private:
    std::vector<choice> choices_; ///< but for zeros
    unsigned drawn_ = 0;
    std::size_t used_ = 0;
};

} // namespace bridge::harness
