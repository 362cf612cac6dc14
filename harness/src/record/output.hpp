// SPDX-License-Identifier: Apache-2.0
// Where results go: events for the runner, or lines for a person.
#pragma once

#include <bridge/protocol/event.hpp>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bridge::harness {

/// Told by a running_test, one call at a time.
class output {
public:
    virtual ~output() = default;
    virtual void tell(const protocol::event& what) = 0;

    /// Tells a person the totals. False if they could not be written.
    virtual bool tell_end(const std::string& text) = 0;

    /// What to write, by descriptor, if the process has to end now with this event.
    struct last_words {
        int descriptor;
        std::string text; ///< may have a gap, which write_last_words() fills
    };

    static constexpr const char* gap = "(GAP)";

    virtual last_words prepare(const std::vector<protocol::event>& events) const = 0;
};

std::unique_ptr<output> make_event_output(int descriptor);
/// `again` is the line that runs a test again.
std::unique_ptr<output> make_human_output(std::function<std::string(const std::string& id)> again);

/// Writes all of it, as far as the descriptor takes it; false if that was not all. Allocates
/// nothing.
bool write_all(int descriptor, const char* data, std::size_t size) noexcept;

/// Writes them with these parts in the gap; a character that a format of events would escape
/// becomes a "?". Async-signal-safe.
void write_last_words(const output::last_words& words,
                      std::initializer_list<std::string_view> parts) noexcept;

} // namespace bridge::harness
