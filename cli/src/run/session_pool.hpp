// SPDX-License-Identifier: Apache-2.0
// The processes that run many tests: which of them takes a test, and when they go.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "children/supervisor.hpp"
#include "run/plan.hpp"
#include "settings/options.hpp"

namespace bridge::cli {

class session_pool {
public:
    session_pool(supervisor& processes, const options& settings)
        : processes_(processes), settings_(settings) {}

    /// Whether tests of this binary run in a session at all: it is asked for, the binary can, and
    /// has not refused.
    bool serves(const test_binary& binary);

    /// Runs a test in an idle session of its binary, or in a new one; throws std::system_error.
    void run(const planned_test& plan, worker_limits limits, worker_sinks sinks,
             std::function<void()> on_refused);

    /// So many tests of the binary wait to be run; a session that has none of them goes.
    std::function<std::size_t(const test_binary&)> waiting;

    /// Told what went wrong beside the tests.
    std::function<void(const std::string&)> warn;

    /// No more tests: all sessions that are idle may go.
    void close_idle();

    /// Whether any session is still there.
    bool is_empty();

private:
    struct entry {
        std::shared_ptr<session> process;
        const test_binary* binary;
    };

    std::shared_ptr<session> find_idle(const test_binary& binary);
    std::shared_ptr<session> open(const test_binary& binary);
    void make_room();
    void forget_ended();
    void refuse(const test_binary& binary, const std::string& why);
    const char* mode() const;

    supervisor& processes_;
    const options& settings_;
    std::vector<entry> sessions_;
    std::map<const test_binary*, bool> refused_;
};

} // namespace bridge::cli
