// SPDX-License-Identifier: Apache-2.0
// Random bytes and damaged files: each is read or refused at a line of the text.
// Arguments: seed and number of inputs.
#include "fuzz.hpp"
#include "settings/config.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/error.hpp"

namespace {

using namespace bridge::cli;

constexpr const char* valid[] = {
    "[profile.default]\njobs = 3\ntimeout = \"1m\"\ntag = [\"net\", \"db\"]\n",
    "[profile.ci]\n[[profile.ci.overrides]]\nfilter = \"tag:net and not a\"\nretries = 2\n",
    "profile.x.color = 'never'\nprofile.default.overrides = [{filter = 'a', timeout = 5}]\n",
};

constexpr const char* pieces[] = {"[",
                                  "]",
                                  "[[",
                                  "]]",
                                  "=",
                                  "\n",
                                  "\"",
                                  "'",
                                  "\"\"\"",
                                  "jobs",
                                  "profile",
                                  ".",
                                  ",",
                                  "{",
                                  "}",
                                  "1",
                                  "-1",
                                  "1e9",
                                  "nan",
                                  "true",
                                  "#",
                                  "filter",
                                  "\xFF",
                                  "\\u",
                                  "overrides",
                                  "0x1F",
                                  "\t",
                                  "1979-05-27",
                                  "99999999999999999999",
                                  "\xE4\xB8\xAD"};

// False for an error of another kind, or without a line that the text has.
bool holds(const std::string& text, long& accepted) {
    try {
        parse_configuration(text, "t");
        ++accepted;
        return true;
    } catch (const expected_error& error) {
        const std::string said = error.what();
        char* end = nullptr;
        const auto line = said.starts_with("t:") ? std::strtol(said.c_str() + 2, &end, 10) : 0;
        const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
        return line >= 1 && line <= lines && *end == ':';
    }
}

} // namespace

int main(int argc, char** argv) {
    return fuzz::run(
        argc, argv, 20'000, {1.0 / 100},
        [](unsigned seed) { return fuzz::inputs(seed, valid, pieces); }, holds);
}
