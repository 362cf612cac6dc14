// SPDX-License-Identifier: Apache-2.0
#include "report/progress.hpp"

#include "check.hpp"

namespace {

using namespace bridge::cli;
using namespace std::chrono_literals;

TEST("the line has a bar, the time that is left, counts and what runs") {
    const progress now{5, 10, 2, 10s, {"a.b (3s)", "c.d (0s)"}};
    CHECK(progress_line(now, 80) ==
          "  [########--------] 10s left  5/10, 2 bad, running: a.b (3s), c.d (0s)");
}

TEST("nothing is bad and nothing is known in the beginning") {
    CHECK(progress_line({0, 4, 0, 1s, {"a (1s)"}}, 80) ==
          "  [----------------] 0/4, running: a (1s)");
}

TEST("a narrow terminal gets the counts") {
    CHECK(progress_line({5, 10, 0, 10s, {"a.b (3s)"}}, 59) == "  5/10, running: a.b (3s)");
    CHECK(progress_line({5, 10, 0, 10s, {"a.b (3s)"}}, 12) == "  5/10, r...");
    CHECK(progress_line({5, 10, 0, 10s, {"a.b (3s)"}}, 0).empty());
}

TEST("a wide terminal does not get a bar without end") {
    const auto line = progress_line({10, 10, 0, 1s, {}}, 400);
    CHECK(line == "  [##############################] 10/10, running: ");
}

TEST("more done than there should be does not overflow the bar") {
    CHECK(progress_line({20, 10, 0, 1s, {}}, 80) == "  [################] 20/10, running: ");
}

TEST("the time left follows from what was done, and is told after two seconds") {
    CHECK(time_left({5, 10, 0, 10s, {}}) == 10s);
    CHECK(time_left({1, 1000, 0, 2s, {}}) == 1998s);
    CHECK(time_left({5, 10, 0, 1s, {}}) == 0s);
    CHECK(time_left({0, 10, 0, 60s, {}}) == 0s);
    CHECK(time_left({10, 10, 0, 60s, {}}) == 0s);
}

TEST("long times are told in minutes and hours") {
    CHECK(progress_line({1, 2, 0, 83s, {}}, 80).find("] 1m23s left  1/2") != std::string::npos);
    CHECK(progress_line({1, 2, 0, 7500s, {}}, 80).find("] 2h05m left  1/2") != std::string::npos);
}

} // namespace

int main() {
    return check::run();
}
