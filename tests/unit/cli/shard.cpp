// SPDX-License-Identifier: Apache-2.0
// Shards: each test in one of them, for ever the same, about as many in each.
#include "filter/shard.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "check.hpp"

namespace {

using namespace bridge::cli;

unsigned part_of(const std::string& binary, const std::string& id, unsigned count) {
    unsigned found = 0;
    for (unsigned index = 1; index <= count; ++index)
        if (shard{index, count}.contains(binary, id))
            found = found == 0 ? index : count + 1;
    return found;
}

std::string why_not() {
    try {
        shard_of_environment();
    } catch (const expected_error& error) {
        return error.code() == exit_code::usage ? error.what() : "another code";
    }
    return {};
}

void set(const char* name, const char* value) {
    if (value == nullptr)
        ::unsetenv(name);
    else
        ::setenv(name, value, 1);
}

TEST("each of 10,000 tests is in exactly one of up to 16 parts, which are about alike") {
    for (unsigned count = 1; count <= 16; ++count) {
        std::vector<int> sizes(count + 2);
        for (int i = 0; i < 10'000; ++i)
            ++sizes[part_of("/b/net", "suite.test_" + std::to_string(i), count)];
        CHECK(sizes[0] == 0 && sizes[count + 1] == 0);
        for (unsigned index = 1; index <= count; ++index)
            CHECK(sizes[index] * count > 8'500 && sizes[index] * count < 11'500);
    }
}

TEST("the part is the same on every machine and for ever") {
    CHECK(part_of("/build/net", "suite.a", 4) == part_of("other/folder/net", "suite.a", 4));
    std::string parts;
    for (const char* id : {"suite.a", "suite.b", "suite.c", "suite.d", "suite.e", "suite.f"})
        parts += std::to_string(part_of("net", id, 4));
    CHECK(parts == "424113");
}

TEST("a part is written k/n") {
    const auto part = parse_shard("2/4");
    CHECK(part && part->index == 2 && part->count == 4 && part->describe() == "2/4");
    for (const char* text : {"", "/", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1/ 4",
                             "1/10001", "99999999999/4"})
        CHECK(!parse_shard(text));
}

TEST("the environment of GitLab counts from one, that of GoogleTest from nought") {
    set("CI_NODE_INDEX", "2");
    set("CI_NODE_TOTAL", "3");
    CHECK(shard_of_environment()->describe() == "2/3");
    set("CI_NODE_INDEX", nullptr);
    CHECK(!shard_of_environment());
    set("GTEST_SHARD_INDEX", "0");
    set("GTEST_TOTAL_SHARDS", "3");
    CHECK(shard_of_environment()->describe() == "1/3");
}

TEST("an environment that does not go together is an error") {
    for (const char* index : {"3", "-1", "x", "4294967295"}) {
        set("GTEST_SHARD_INDEX", index);
        CHECK(why_not().find("GTEST_TOTAL_SHARDS=3, which is not a shard") != std::string::npos);
    }
    for (const char* total : {static_cast<const char*>(nullptr), ""}) {
        set("GTEST_TOTAL_SHARDS", total);
        CHECK(why_not() == "the environment has GTEST_SHARD_INDEX but no GTEST_TOTAL_SHARDS; set "
                           "both or none");
    }
}

TEST("an empty variable is none") {
    for (const char* name : {"CI_NODE_INDEX", "CI_NODE_TOTAL", "GTEST_SHARD_INDEX"})
        set(name, "");
    CHECK(!shard_of_environment());
    set("GTEST_SHARD_INDEX", "1");
    set("GTEST_TOTAL_SHARDS", "3");
    CHECK(shard_of_environment()->describe() == "2/3");
}

} // namespace

int main() {
    for (const char* name :
         {"CI_NODE_INDEX", "CI_NODE_TOTAL", "GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS"})
        ::unsetenv(name);
    return check::run();
}
