// SPDX-License-Identifier: Apache-2.0
// Function, file and line of addresses, found while the process is about to end.
#pragma once

#include "run/stacks.hpp"

#include <string_view>

namespace bridge::harness {

/// Finds the program and addr2line, once. Not async-signal-safe.
void prepare_code_lines();

struct code_line {
    std::string_view function; ///< without arguments; a body by the name of its test
    std::string_view place;    ///< "FILE:LINE"
    bool is_users;             ///< neither the harness's nor a library's
};

/// What debug information knows of the frames of stacks. It lives as long as the object, of which
/// there is one at a time. Async-signal-safe.
class code_lines {
public:
    /// Whether nobody else has one; if not, this one knows nothing.
    code_lines() noexcept;
    code_lines(const code_lines&) = delete;
    code_lines& operator=(const code_lines&) = delete;
    ~code_lines();

    /// To be asked for.
    void add(const stack_frames& stack) noexcept;

    /// Asks addr2line for what was added. Nothing is known if it is not there, or does not answer
    /// in time.
    void ask() noexcept;

    /// Calls f(line) for each line of this frame, the innermost first: what was inlined has lines
    /// of its own. How many there are.
    template<class F>
    int for_each_line(const stack_frames& stack, int frame, const F& f) const noexcept {
        auto text = is_ours_ ? text_of(stack, frame) : std::string_view();
        int count = 0;
        for (code_line line; take(text, line); ++count)
            f(line);
        return count;
    }

    /// Whether Python's interpreter runs its code in this frame.
    static bool is_pythons(const stack_frames& stack, int frame) noexcept;

    /// The innermost line of the user's own, as "FILE:LINE in FUNCTION", and the outermost one, as
    /// ", from FILE:LINE in FUNCTION", if that is another function; nothing if Python's code is
    /// further in, or there is none. It lives until the next one is asked for.
    std::string_view users_line(const stack_frames& stack) const noexcept;

private:
    static std::string_view text_of(const stack_frames& stack, int frame) noexcept;
    static bool take(std::string_view& text, code_line& line) noexcept;

    bool is_ours_;
};

} // namespace bridge::harness
