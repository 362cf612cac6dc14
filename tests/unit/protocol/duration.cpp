// SPDX-License-Identifier: Apache-2.0
// Durations: units, rounding, what is refused, and that writing is undone by reading.
#include <bridge/protocol/duration.hpp>

#include "check.hpp"

namespace {

using bridge::protocol::format_duration;
using bridge::protocol::parse_duration;
using std::chrono::milliseconds;

long long ms(std::string_view text) {
    const auto value = parse_duration(text);
    return value ? value->count() : -1;
}

TEST("every unit is known and a bare number is seconds") {
    CHECK(ms("500ms") == 500);
    CHECK(ms("5s") == 5'000);
    CHECK(ms("5") == 5'000);
    CHECK(ms("2m") == 120'000);
    CHECK(ms("2min") == 120'000);
    CHECK(ms("1h") == 3'600'000);
}

TEST("fractions are taken") {
    CHECK(ms("1.5") == 1'500);
    CHECK(ms(".5s") == 500);
    CHECK(ms("0.25h") == 900'000);
}

TEST("less than a millisecond is rounded up, never down to nothing") {
    CHECK(ms("0.2ms") == 1);
    CHECK(ms("0.0000001ms") == 1);
    CHECK(ms("1.0001s") == 1'001);
}

TEST("a whole number of milliseconds is not rounded up by floating point") {
    CHECK(ms("0.07m") == 4'200);
    CHECK(ms("1.001s") == 1'001);
    CHECK(ms("0.57s") == 570);
    CHECK(ms("4.35") == 4'350);
}

TEST("what is not a duration is refused") {
    for (auto text : {"", " ", "s", "ms", "five", "5 s", " 5s", "5s ", "5S", "5d", "1,5", "1e3",
                      "0x10", "5s5", "+5s", "--5", "1.2.3"})
        CHECK(!parse_duration(text));
}

TEST("nothing, less than nothing and no number are refused") {
    for (auto text : {"0", "0s", "0.0ms", "-1", "-5s", "nan", "inf", "infinity", "-inf"})
        CHECK(!parse_duration(text));
}

TEST("a year is the longest") {
    CHECK(ms("8760h") == 365LL * 24 * 3'600'000);
    CHECK(!parse_duration("8761h"));
    CHECK(!parse_duration("99999999999999999999999999"));
}

TEST("a NUL byte does not end the text") {
    CHECK(!parse_duration(std::string_view("5s\0", 3)));
    CHECK(!parse_duration(std::string_view("5\0s", 3)));
}

TEST("whole seconds are written as such, all else in milliseconds") {
    CHECK(format_duration(milliseconds(5'000)) == "5s");
    CHECK(format_duration(milliseconds(1'500)) == "1500ms");
    CHECK(format_duration(milliseconds(1)) == "1ms");
    CHECK(format_duration(milliseconds(3'600'000)) == "3600s");
}

TEST("what is written is read back as the same") {
    for (long long count : {1LL, 999LL, 1'000LL, 1'001LL, 60'000LL, 123'456'789LL})
        CHECK(parse_duration(format_duration(milliseconds(count))) == milliseconds(count));
}

} // namespace

int main() {
    return check::run();
}
