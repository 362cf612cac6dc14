// SPDX-License-Identifier: Apache-2.0
// Names of outcomes and which of them are good.
#include <bridge/protocol/outcome.hpp>

#include <set>
#include <string_view>

#include "check.hpp"

namespace {

using bridge::protocol::is_success;
using bridge::protocol::outcome;
using bridge::protocol::parse_outcome;

constexpr outcome all[] = {outcome::passed,    outcome::failed,  outcome::skipped,
                           outcome::timed_out, outcome::crashed, outcome::not_run};

TEST("every outcome has a name of its own, which is read back") {
    std::set<std::string_view> names;
    for (auto one : all) {
        names.insert(to_string(one));
        CHECK(parse_outcome(to_string(one)) == one);
    }
    CHECK(names.size() == std::size(all));
}

TEST("the names are the documented ones") {
    CHECK(to_string(outcome::passed) == "passed");
    CHECK(to_string(outcome::failed) == "failed");
    CHECK(to_string(outcome::skipped) == "skipped");
    CHECK(to_string(outcome::timed_out) == "timed_out");
    CHECK(to_string(outcome::crashed) == "crashed");
    CHECK(to_string(outcome::not_run) == "not_run");
}

TEST("any other word is not an outcome") {
    for (auto name : {"", "Passed", "passed ", "pass", "?", "timed out"})
        CHECK(!parse_outcome(name));
}

TEST("an outcome out of range has a name that cannot be read back") {
    CHECK(to_string(static_cast<outcome>(99)) == "?");
}

TEST("only passed and skipped leave a run green") {
    for (auto one : all)
        CHECK(is_success(one) == (one == outcome::passed || one == outcome::skipped));
}

} // namespace

int main() {
    return check::run();
}
