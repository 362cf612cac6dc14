// SPDX-License-Identifier: Apache-2.0
// Columns of characters: the borders of the blocks that matter.
#include "output/width.hpp"

#include "check.hpp"

namespace {

using bridge::cli::columns_of;

TEST("letters of any alphabet, control characters and stray bytes take one column") {
    for (auto one : {"a", "\x01", "\xFF", "\xC3\xA9", "\xD0\x96", "\xE2\x82\xAC", "\xE2\x96\x88"})
        CHECK(columns_of(one) == 1);
    CHECK(columns_of("") == 0);
}

TEST("what combines takes none") {
    for (auto one : {"\xCC\x80", "\xCD\xAF", "\xE2\x80\x8D", "\xEF\xB8\x8F"})
        CHECK(columns_of(one) == 0);
}

TEST("what East Asia writes wide and emoji take two") {
    for (auto one : {"\xE1\x84\x80", "\xE3\x81\x82", "\xE6\x97\xA5", "\xED\x95\x9C", "\xEF\xBC\xA1",
                     "\xF0\x9F\x98\x80", "\xF0\x9F\x9A\x80", "\xF0\xA0\x80\x80"})
        CHECK(columns_of(one) == 2);
}

} // namespace

int main() {
    return check::run();
}
