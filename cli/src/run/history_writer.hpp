// SPDX-License-Identifier: Apache-2.0
// Remembers a run for the next one.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "report/reporter.hpp"
#include "select/history.hpp"

namespace bridge::cli {

/// Puts every verdict of the run into the history file when the run ends, beside those of tests
/// that did not run. What goes wrong is a warning: it must not change the run's result.
class history_writer final : public reporter {
public:
    /// `known`: the binaries that were listed; what they no longer have is forgotten.
    history_writer(history_place place, const std::vector<test_binary>& known);

    void on(const run_event& event) override;

private:
    struct entry {
        std::string binary;
        std::string id;
        remembered what;
    };

    void save() const;
    void warn(const std::string& what) const;

    history_place place_;
    const std::vector<test_binary>& known_;
    std::vector<entry> entries_;
};

} // namespace bridge::cli
