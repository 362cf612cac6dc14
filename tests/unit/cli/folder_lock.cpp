// SPDX-License-Identifier: Apache-2.0
// The lock of a folder: who comes second waits, but not for ever.
#include "process/folder_lock.hpp"

#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <system_error>

#include "check.hpp"

namespace {

namespace fs = std::filesystem;
using bridge::cli::folder_lock;
using namespace std::chrono_literals;

// A folder of its own, gone at the end.
class folder {
public:
    folder() : path((fs::temp_directory_path() / "folder_lock.XXXXXX").string()) {
        if (::mkdtemp(path.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), path);
    }

    ~folder() { fs::remove_all(path); }

    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    std::string path;
};

auto time_to_lock(const std::string& path, std::chrono::milliseconds patience) {
    const auto begun = std::chrono::steady_clock::now();
    const folder_lock lock(path, patience);
    return std::chrono::steady_clock::now() - begun;
}

TEST("a second one waits until its patience is over") {
    const folder here;
    const folder_lock first(here.path, 1min);
    CHECK(time_to_lock(here.path, 50ms) >= 50ms);
}

TEST("a second one waits until the first has gone") {
    const folder here;
    std::optional<folder_lock> first(std::in_place, here.path, 1min);
    auto second = std::async(std::launch::async, time_to_lock, here.path, 1min);
    CHECK(second.wait_for(50ms) == std::future_status::timeout);
    first.reset();
    CHECK(second.get() < 1min);
    CHECK(fs::is_empty(here.path));
}

TEST("where there is no lock to be had, nobody waits") {
    CHECK(time_to_lock("/none/such", 1min) < 1min);
    CHECK(time_to_lock("", 1min) < 1min);
}

} // namespace

int main() {
    return check::run();
}
