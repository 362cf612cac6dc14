// SPDX-License-Identifier: Apache-2.0
// Merging a run into the history.
#include "run/history_writer.hpp"

#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include <bridge/protocol/error.hpp>

#include "output/style.hpp"
#include "process/folder_lock.hpp"

namespace bridge::cli {

namespace fs = std::filesystem;

namespace {

// Who holds the lock so long hangs, or is not bridge-test.
constexpr std::chrono::seconds longest_wait{10};

} // namespace

history_writer::history_writer(history_place place, const std::vector<test_binary>& known)
    : place_(std::move(place)), known_(known) {}

void history_writer::on(const run_event& event) {
    if (const auto* one = std::get_if<case_finished>(&event)) {
        const auto& result = one->result;
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(result.duration);
        if (result.result != protocol::outcome::not_run)
            entries_.push_back({result.test.binary->location.path,
                                result.test.info->id,
                                {result.result, result.is_flaky(), took}});
    }
    if (!std::holds_alternative<run_finished>(event) || entries_.empty() || place_.path.empty() ||
        place_.path == no_history)
        return;
    try {
        if (const auto why = why_no_history(place_.path); why.empty())
            save();
        else
            warn(place_.path + ": " + why);
    } catch (const std::system_error& error) {
        warn(error.what());
    }
}

void history_writer::warn(const std::string& what) const {
    if (place_.is_shared)
        return; // nobody chose it
    const auto text = fmt::format("warning: {}; this run is not remembered\n", what);
    std::fputs(printable(text, false).c_str(), stderr);
}

void history_writer::save() const {
    if (place_.is_shared)
        fs::create_directories(fs::path(place_.path).parent_path());
    std::error_code ignored;
    const auto path = fs::weakly_canonical(fs::absolute(place_.path, ignored), ignored);
    const folder_lock lock(path.parent_path().string(), longest_wait);
    history all;
    try {
        all = history::load(place_.path); // again: another run may have ended since
    } catch (const protocol::protocol_error&) {
        // Told when the run began; it is replaced.
    }
    for (const auto& one : entries_)
        all.put(one.binary, one.id, one.what);
    for (const auto& binary : known_) {
        std::set<std::string_view> ids;
        for (const auto& test : binary.tests)
            ids.insert(test.id);
        all.keep_only(binary.location.path, ids);
    }
    if (place_.is_shared)
        all.keep_existing();
    all.save(place_.path);
}

} // namespace bridge::cli
