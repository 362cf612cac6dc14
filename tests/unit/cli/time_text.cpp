// SPDX-License-Identifier: Apache-2.0
#include "output/time_text.hpp"

#include "check.hpp"

namespace {

using namespace bridge::cli;

TEST("a point in time is written in UTC and read back") {
    const auto time = std::chrono::system_clock::from_time_t(1'800'000'000);
    CHECK(to_timestamp(time) == "2027-01-15T08:00:00Z");
    CHECK(parse_timestamp("2027-01-15T08:00:00Z") == time);
}

TEST("another text is not a point in time") {
    for (const auto* text : {"", "2027-01-15", "2027-01-15T08:00:00", "2027-01-15T08:00:00Z ", "x"})
        CHECK(!parse_timestamp(text));
}

} // namespace

int main() {
    return check::run();
}
