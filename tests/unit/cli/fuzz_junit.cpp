// SPDX-License-Identifier: Apache-2.0
// JUnit reports of random results, one after the other on stdout, each ended by a NUL, for
// check_xml.py to read. Arguments: seed and number of reports.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>

#include <unistd.h>

#include "report/junit.hpp"

namespace {

using namespace bridge::cli;
using bridge::protocol::outcome;
using bridge::protocol::test_info;

constexpr const char* pieces[] = {"]]>",
                                  "<![CDATA[",
                                  "&#0;",
                                  "&amp;",
                                  "</testcase>",
                                  "<!--",
                                  "-->",
                                  "\"",
                                  "'",
                                  "<?xml",
                                  "&#xD800;",
                                  "\xEF\xBF\xBE",
                                  "\xEF\xBF\xBF",
                                  "\xED\xA0\x80",
                                  "\xC2\x85",
                                  "\xE2\x80\xA8",
                                  "\xF4\x8F\xBF\xBF",
                                  "\xF4\x90\x80\x80",
                                  "\x1b[1m",
                                  "\r\n",
                                  "\xEF\xBB\xBF",
                                  "text",
                                  "\n",
                                  "\t"};

class random_results {
public:
    explicit random_results(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::string bytes() {
        std::string text;
        for (auto count = below(12); count > 0; --count) {
            if (below(2) == 0)
                text += pieces[below(std::size(pieces))];
            else
                text += static_cast<char>(below(256));
        }
        return text;
    }

    outcome any_outcome() { return static_cast<outcome>(below(6)); }

    std::vector<failure> failures() {
        std::vector<failure> all(below(3));
        for (auto& one : all)
            one = {bytes(), bytes(), bytes(), static_cast<int>(below(1000))};
        return all;
    }

    case_result result(const test_case& test, bool may_have_earlier) {
        case_result one;
        one.test = test;
        one.result = any_outcome();
        one.message = bytes();
        one.failures = failures();
        one.notes = {bytes()};
        one.output = bytes();
        one.duration = std::chrono::microseconds(below(100'000'000));
        if (may_have_earlier && below(3) == 0)
            one.earlier = {result(test, false)};
        return one;
    }

private:
    std::mt19937 random_;
};

// Names are told apart by a number that no escape can change.
std::string document(random_results& from, const std::string& path) {
    const test_binary binary{{"b", "/b", {}, {}, {}}, "bin" + from.bytes(), {}};
    std::vector<std::unique_ptr<test_info>> tests;
    junit_reporter report(path);
    for (auto count = from.below(4); count > 0; --count) {
        auto& test = *tests.emplace_back(std::make_unique<test_info>());
        test.suite = from.bytes();
        test.name = from.bytes();
        test.id = test.suite + "." + test.name + std::to_string(count);
        test.file = from.below(2) == 0 ? "" : "f" + from.bytes();
        test.line = static_cast<int>(from.below(1000));
        report.on(case_finished{from.result({&binary, &test}, true)});
    }
    if (from.below(4) == 0)
        report.on(listing_failed{{"binary" + from.bytes(), from.bytes()}});
    report.on(run_finished{std::chrono::seconds(1)});
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

int main(int argc, char** argv) {
    const auto seed = static_cast<unsigned>(argc > 1 ? std::atol(argv[1]) : 1);
    const long count = argc > 2 ? std::atol(argv[2]) : 600;
    const auto path = (std::filesystem::temp_directory_path() /
                       ("fuzz_junit." + std::to_string(::getpid()) + ".xml"))
                          .string();
    random_results all(seed);
    for (long i = 0; i < count; ++i) {
        const auto text = document(all, path);
        std::fwrite(text.data(), 1, text.size() + 1, stdout); // with its NUL
    }
    std::filesystem::remove(path);
    return std::fflush(stdout) == 0 ? 0 : 1;
}
