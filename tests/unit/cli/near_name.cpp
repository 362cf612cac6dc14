// SPDX-License-Identifier: Apache-2.0
// "Did you mean": what is near enough and what is not.
#include "base/near_name.hpp"

#include "check.hpp"

namespace {

using bridge::cli::near_name;

const std::vector<std::string> names{"--timeout", "--tag", "--junit", "--jobs"};

TEST("one or two slips are forgiven in a long word") {
    CHECK(near_name("--timeuot", names) == "--timeout");
    CHECK(near_name("--timeou", names) == "--timeout");
    CHECK(near_name("--jnit", names) == "--junit");
}

TEST("the same word is the nearest") {
    CHECK(near_name("--tag", {"--tags", "--tag"}) == "--tag");
}

TEST("of two that are as near, the first is taken") {
    CHECK(near_name("abcd", {"abcx", "abcy"}) == "abcx");
}

TEST("three slips, a short word and no word at all have no near name") {
    CHECK(near_name("--tixxxut", names).empty());
    CHECK(near_name("--parallel", names).empty());
    CHECK(near_name("ab", {"cd", "abc"}).empty());
    CHECK(near_name("", names).empty());
    CHECK(near_name("--tag", {}).empty());
}

} // namespace

int main() {
    return check::run();
}
