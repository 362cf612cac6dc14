// SPDX-License-Identifier: Apache-2.0
// What a running test reports, one JSON object per line, over the event descriptor.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <bridge/protocol/error.hpp>
#include <bridge/protocol/outcome.hpp>

namespace bridge::protocol {

/// Why a test failed: a check, an exception of its body, something it left behind,
/// something that went wrong beside it, or its time-out.
enum class failure_kind { check, exception, leak, background, timeout };

std::string_view to_string(failure_kind value) noexcept;
std::optional<failure_kind> parse_failure_kind(std::string_view name) noexcept;

struct test_started {
    std::string id;
};

struct test_failure {
    std::string id;
    failure_kind kind = failure_kind::check;
    std::string message;
    std::string file; ///< may be empty
    int line = 0;
};

struct test_note {
    std::string id;
    std::string message;
};

/// The process is about to end before it should, mostly before the test has finished.
struct test_crashed {
    std::string id;
    std::string message; ///< how, as far as the process knows: "it was at FILE:LINE in FUNCTION"
};

/// The process begins to find out where everything is, or has found out: that time is not the
/// test's.
struct test_explaining {
    std::string id;
    bool is_over = false;
};

/// The last event of a test but for the two before; `result` is never crashed nor not_run.
struct test_finished {
    std::string id;
    outcome result = outcome::passed;
    std::string message; ///< why it was skipped or timed out
    double duration_ms = 0;
};

using event = std::variant<test_started, test_failure, test_note, test_crashed, test_explaining,
                           test_finished>;

/// One line with its line end; bytes that are not UTF-8 are escaped.
std::string write_event(const event& value);

/// Reads one line (line end optional). Unknown keys are ignored; an event whose name is unknown
/// gives nothing, so that later harnesses may say more to this reader.
/// Throws: protocol_error: not JSON, another version, a missing or ill-typed field.
std::optional<event> parse_event(std::string_view line);

} // namespace bridge::protocol
