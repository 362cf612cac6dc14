// SPDX-License-Identifier: Apache-2.0
#include "report/recap.hpp"

#include "check.hpp"

namespace {

using namespace bridge::cli;
using bridge::protocol::outcome;
using namespace std::chrono_literals;

case_result result(std::chrono::milliseconds duration, outcome how = outcome::passed) {
    case_result one;
    one.result = how;
    one.duration = duration;
    return one;
}

TEST("the slowest come first, and only as many as are asked for") {
    recap end(2);
    end.add(result(20ms), "b");
    end.add(result(10ms), "c");
    end.add(result(30ms), "a");
    end.add(result(99s, outcome::not_run), "never");
    CHECK(end.text({}) == "\nSlowest:\n          [   0.030s] a\n          [   0.020s] b\n");
}

TEST("nothing is said when nothing is to be said") {
    recap end(0);
    end.add(result(20ms), "b");
    CHECK(end.text({}).empty());
    CHECK(recap(3).text({}).empty());
}

TEST("each leak has a line") {
    recap end(0);
    auto leaking = result(1ms, outcome::failed);
    leaking.failures = {{"leak", "task 'x' was still pending\nand more", "", 0},
                        {"check", "1 == 2", "", 0},
                        {"leak", "a generator", "", 0}};
    end.add(leaking, "a.b");
    CHECK(end.text({}) == "\nLeaks:\n          a.b: task 'x' was still pending\n"
                          "          a.b: a generator\n");
}

} // namespace

int main() {
    return check::run();
}
