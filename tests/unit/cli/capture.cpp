// SPDX-License-Identifier: Apache-2.0
// Bounded capture: nothing lost below the bounds, a count of what is lost above them.
#include "process/capture.hpp"

#include "check.hpp"

namespace {

using bridge::cli::capture;

// What `text` keeps in a capture of 4 bytes at each end, appended in portions of `size`.
std::string kept(std::string_view text, std::size_t size) {
    capture into(4, 4);
    for (; !text.empty(); text.remove_prefix(std::min(size, text.size())))
        into.append(text.substr(0, size));
    return into.text();
}

TEST("a capture is empty until something comes") {
    capture into;
    CHECK(into.is_empty() && into.text().empty() && into.dropped() == 0);
    into.append("");
    CHECK(into.is_empty());
    into.append("x");
    CHECK(!into.is_empty());
}

TEST("everything is kept up to the head and twice the tail") {
    for (std::size_t size : {1, 3, 12})
        CHECK(kept("abcdefghijkl", size) == "abcdefghijkl");
}

TEST("beyond that, head and tail stay and the hole is counted") {
    CHECK(kept("abcdefghijklm", 13) == "abcd\n[... 5 bytes of output dropped ...]\njklm");
    CHECK(kept("abcdefghijklm", 1) == "abcd\n[... 5 bytes of output dropped ...]\njklm");
}

TEST("kept and dropped bytes add up, however the bytes come") {
    for (std::size_t size : {1, 2, 5, 7, 100}) {
        capture into(4, 4);
        const std::string portion(size, 'x');
        for (int i = 0; i < 1000; ++i)
            into.append(portion);
        const auto text = into.text();
        const auto mark =
            "\n[... " + std::to_string(into.dropped()) + " bytes of output dropped ...]\n";
        CHECK(text.find(mark) == 4);
        CHECK(text.size() - mark.size() + into.dropped() == 1000 * size);
    }
}

TEST("NUL bytes and bytes of no encoding are kept as they are") {
    capture into;
    into.append(std::string_view("a\0\xFF", 3));
    CHECK(into.text() == std::string("a\0\xFF", 3));
}

TEST("a flood of a gigabyte stays within the bounds") {
    capture into;
    const std::string portion(1024 * 1024, 'x');
    for (int i = 0; i < 1024; ++i)
        into.append(portion);
    CHECK(into.text().size() < 512 * 1024);
    CHECK(into.dropped() > 1023ULL * 1024 * 1024);
}

} // namespace

int main() {
    return check::run();
}
