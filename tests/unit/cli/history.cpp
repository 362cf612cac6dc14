// SPDX-License-Identifier: Apache-2.0
// The state file: what is written is read again, and what is damaged is said to be.
#include "select/history.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <unistd.h>

#include <bridge/protocol/error.hpp>

#include "check.hpp"

namespace {

using bridge::cli::history;
using bridge::cli::remembered;
using bridge::protocol::outcome;
using std::chrono::milliseconds;

const std::string path = "history_test." + std::to_string(::getpid()) + ".json";

void write(const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

// Empty if the file can be read.
std::string why_not(const std::string& text) {
    write(text);
    try {
        history::load(path);
    } catch (const bridge::protocol::protocol_error& error) {
        return error.what();
    }
    return {};
}

TEST("no file is an empty history, and so is an empty one") {
    std::remove(path.c_str());
    CHECK(history::load(path).find("/a", "x") == nullptr);
    CHECK(why_not("").empty());
}

TEST("what is saved is found again") {
    history one;
    one.put("/a", "s.x", {outcome::crashed, false, milliseconds(12)});
    one.put("/a", "s.\xFF", {outcome::passed, true, milliseconds(0)});
    one.put("/b", "s.x", {outcome::skipped, false, milliseconds(7)});
    one.save(path);
    const auto again = history::load(path);
    const auto* found = again.find("/a", "s.x");
    CHECK(found && found->result == outcome::crashed && found->duration == milliseconds(12));
    CHECK(found && !found->is_flaky);
    CHECK(again.find("/b", "s.x")->result == outcome::skipped);
    CHECK(again.find("/a", "s.\\xff")->is_flaky);
    CHECK(again.find("/c", "s.x") == nullptr && again.find("/b", "s.y") == nullptr);
}

TEST("a later verdict replaces the earlier one, and what is gone can be forgotten") {
    history one;
    one.put("/a", "s.x", {outcome::crashed, false, milliseconds(1)});
    one.put("/a", "s.x", {outcome::passed, false, milliseconds(2)});
    one.put("/a", "s.old", {});
    one.put("/b", "s.old", {});
    one.keep_only("/a", {"s.x"});
    one.keep_only("/none", {});
    CHECK(one.find("/a", "s.x")->result == outcome::passed);
    CHECK(one.find("/a", "s.old") == nullptr && one.find("/b", "s.old") != nullptr);
}

TEST("a damaged file is told, whatever the damage") {
    const std::string good =
        R"({"bridge_test_state":1,"tests":[{"binary":"/a","id":"x","outcome":"failed","duration_ms":1}]})";
    CHECK(why_not(good).empty());
    for (std::size_t length = 1; length < good.size(); ++length)
        CHECK(!why_not(good.substr(0, length)).empty());
    for (
        const char* text :
        {"[]", "{}", R"({"bridge_test_state":2,"tests":[]})", R"({"bridge_test_state":1})",
         R"({"bridge_test_state":1,"tests":[1]})", R"({"bridge_test_state":1,"tests":[{}]})",
         R"({"bridge_test_state":1,"tests":[{"binary":"/a","id":"x","outcome":"good","duration_ms":1}]})",
         R"({"bridge_test_state":1,"tests":[{"binary":"/a","id":"x","outcome":"failed"}]})",
         R"({"bridge_test_state":1,"tests":[{"binary":"/a","id":"x","outcome":"failed","duration_ms":-1}]})",
         "\xFF\x00"})
        CHECK(why_not(text).starts_with("it is not what bridge-test wrote: "));
    std::remove(path.c_str());
}

TEST("the place is the chosen one, the manifest's folder, the cache, or none") {
    using bridge::cli::place_of_history;
    CHECK(place_of_history("mine.json", "build").path == "mine.json");
    CHECK(place_of_history("", "build").path == "build/bridge-test-state.json");
    CHECK(!place_of_history("", "build").is_shared);
    ::setenv("XDG_CACHE_HOME", "/cache", 1);
    ::setenv("HOME", "/home/me", 1);
    CHECK(place_of_history("", "").path == "/cache/bridge-test/bridge-test-state.json");
    CHECK(place_of_history("", "").is_shared);
    for (const char* none : {"", "relative"}) {
        ::setenv("XDG_CACHE_HOME", none, 1);
        CHECK(place_of_history("", "").path ==
              "/home/me/.cache/bridge-test/bridge-test-state.json");
    }
    ::unsetenv("XDG_CACHE_HOME");
    ::unsetenv("HOME");
    CHECK(place_of_history("", "").path.empty());
}

TEST("binaries that are gone are forgotten") {
    history one;
    one.put("/", "s.a", {outcome::passed, false, milliseconds(1)});
    one.put("/no/such/binary", "s.a", {outcome::passed, false, milliseconds(1)});
    one.keep_existing();
    CHECK(one.find("/", "s.a") != nullptr && one.find("/no/such/binary", "s.a") == nullptr);
}

TEST("a place that cannot be written is an error") {
    CHECK_THROWS(std::system_error, history().save("/nonexistent-folder/state.json"));
}

} // namespace

int main() {
    return check::run();
}
