// SPDX-License-Identifier: Apache-2.0
// Globs, also those that would take for ever if matched the simple way.
#include "filter/glob.hpp"

#include <string>

#include "check.hpp"

namespace {

using bridge::cli::glob_fits;
using bridge::cli::is_glob;

TEST("a star or a question mark makes a glob") {
    CHECK(is_glob("*") && is_glob("a?b") && !is_glob("") && !is_glob("a.b[c]"));
}

TEST("the whole text has to fit") {
    CHECK(glob_fits("http.*", "http.get") && glob_fits("http.*", "http."));
    CHECK(!glob_fits("http.*", "big.http.get") && !glob_fits("http.*", "http"));
    CHECK(glob_fits("*.get", "http.get") && !glob_fits("*.get", "http.gets"));
    CHECK(glob_fits("*", "") && glob_fits("", "") && !glob_fits("", "a") && !glob_fits("?", ""));
    CHECK(glob_fits("h??p.*t", "http.get") && !glob_fits("h?p", "http"));
}

TEST("a star may stand for what looks like the end") {
    CHECK(glob_fits("*ab", "aabab") && glob_fits("a*b*c", "abbbcbc") &&
          !glob_fits("a*b*c", "abcb"));
    CHECK(glob_fits("**a**", "xax") && !glob_fits("*a*", "xx"));
}

TEST("other characters stand for themselves") {
    CHECK(glob_fits("a[1].*", "a[1].b") && !glob_fits("a[1].*", "a1.b"));
    CHECK(glob_fits("\\*", "\\anything"));
}

TEST("many stars do not take long") {
    std::string pattern, text(20'000, 'a');
    for (int i = 0; i < 50; ++i)
        pattern += "*a";
    CHECK(glob_fits(pattern, text) && !glob_fits(pattern + "b", text));
}

} // namespace

int main() {
    return check::run();
}
