// SPDX-License-Identifier: Apache-2.0
// Selection: parts of ids, exact ids, tags and skips together, and words that fit nothing.
#include "select/filter.hpp"

#include <optional>

#include "base/error.hpp"
#include "check.hpp"
#include "settings/options.hpp"

namespace {

using bridge::cli::filter;
using bridge::cli::options;
using texts = std::vector<std::string>;

struct given {
    bridge::protocol::test_info info;
    std::optional<bridge::cli::remembered> last;

    operator bridge::cli::candidate() const { return {info, "net", last ? &*last : nullptr}; }
};

given test(const std::string& id, texts tags = {}) {
    bridge::protocol::test_info info;
    info.id = id;
    info.tags = std::move(tags);
    return {info, std::nullopt};
}

given test_that(bridge::protocol::outcome ended) {
    auto one = test("http.get");
    one.last = bridge::cli::remembered{ended};
    return one;
}

options wanting(texts filters, texts exact = {}, texts tags = {}, texts skip = {}) {
    options settings;
    settings.filters = std::move(filters);
    settings.exact = std::move(exact);
    settings.tags = std::move(tags);
    settings.skip = std::move(skip);
    return settings;
}

TEST("no words select everything") {
    filter all{options{}};
    CHECK(all.selects(test("http.get")));
    CHECK(all.unused().empty() && all.describe().empty());
}

TEST("a filter is a part of the id, any of several will do, case counts") {
    filter wanted(wanting({"http", "dns."}));
    CHECK(wanted.selects(test("http.get")));
    CHECK(wanted.selects(test("dns.lookup")));
    CHECK(wanted.selects(test("big_http.get")));
    CHECK(!wanted.selects(test("HTTP.get")));
    CHECK(!wanted.selects(test("tcp.get")));
}

TEST("an exact id is the whole id") {
    filter wanted(wanting({}, {"http.get"}));
    CHECK(wanted.selects(test("http.get")));
    CHECK(!wanted.selects(test("http.get2")));
    CHECK(!wanted.selects(test("big.http.get")));
}

TEST("a filter and an exact id widen each other") {
    filter wanted(wanting({"dns"}, {"http.get"}));
    CHECK(wanted.selects(test("dns.a")));
    CHECK(wanted.selects(test("http.get")));
    CHECK(!wanted.selects(test("http.post")));
}

TEST("a tag is the whole tag, any of several will do, and it narrows") {
    filter wanted(wanting({"http"}, {}, {"net", "slow"}));
    CHECK(wanted.selects(test("http.a", {"net"})));
    CHECK(wanted.selects(test("http.a", {"x", "slow"})));
    CHECK(!wanted.selects(test("http.a", {"network"})));
    CHECK(!wanted.selects(test("http.a")));
    CHECK(!wanted.selects(test("dns.a", {"net"})));
}

TEST("skip wins over everything") {
    filter wanted(wanting({"http"}, {"http.slow"}, {}, {"slow"}));
    CHECK(wanted.selects(test("http.get")));
    CHECK(!wanted.selects(test("http.slow")));
}

TEST("an empty filter fits every test and an empty exact id none") {
    CHECK(filter(wanting({""})).selects(test("a")));
    CHECK(!filter(wanting({}, {""})).selects(test("a")));
}

TEST("words that fitted nothing are told by kind, others are not") {
    filter wanted(wanting({"http", "typo"}, {"gone"}, {"net", "nt"}, {"slow", "never"}));
    wanted.selects(test("http.slow", {"net"}));
    CHECK(wanted.unused() ==
          texts({"filter 'typo'", "--exact 'gone'", "--tag 'nt'", "--skip 'never'"}));
    wanted.selects(test("typo.gone", {"nt"}));
    CHECK(wanted.unused() == texts({"--exact 'gone'", "--skip 'never'"}));
}

TEST("all words are described for the message that nothing was selected") {
    CHECK(filter(wanting({"a"}, {"b"}, {"c"}, {"d"})).describe() ==
          "filter 'a', --exact 'b', --tag 'c', --skip 'd'");
}

TEST("a filter with a wildcard is the whole id, with a known key a part of the test") {
    filter wanted(wanting({"http.*", "tag:net", "suite:dns"}));
    auto dns = test("dns.a");
    dns.info.suite = "dns";
    CHECK(wanted.selects(test("http.get")) && wanted.selects(test("x", {"net"})));
    CHECK(wanted.selects(dns));
    CHECK(!wanted.selects(test("big.http.get")) && !wanted.selects(test("dns.a")));
}

TEST("a colon after another word than a key is part of a text") {
    filter wanted(wanting({"space::name"}));
    CHECK(wanted.selects(test("space::name.a")) && !wanted.selects(test("name.a")));
}

TEST("a skip may be a glob or have a key") {
    filter wanted(wanting({}, {}, {}, {"*.slow", "tag:net"}));
    CHECK(wanted.selects(test("http.slower")));
    CHECK(!wanted.selects(test("http.slow")) && !wanted.selects(test("a", {"net"})));
}

TEST("an expression narrows; of several any will do") {
    auto settings = wanting({"http"});
    settings.expressions = {"tag:net and not slow", "tag:db"};
    filter wanted(settings);
    CHECK(wanted.selects(test("http.a", {"net"})) && wanted.selects(test("http.slow", {"db"})));
    CHECK(!wanted.selects(test("http.slow", {"net"})) && !wanted.selects(test("dns.a", {"net"})));
    CHECK(wanted.describe() == "filter 'http', --filter 'tag:net and not slow', --filter 'tag:db'");
}

TEST("an expression that is none is refused with the place") {
    auto settings = wanting({});
    settings.expressions = {"a and and b"};
    try {
        filter wanted(settings);
        CHECK(false);
    } catch (const bridge::cli::expected_error& error) {
        CHECK(error.code() == bridge::cli::exit_code::usage);
        CHECK(std::string(error.what()) == "--filter: a condition is missing before this\n"
                                           "  a and and b\n"
                                           "        ^");
    }
}

TEST("only what failed, in any way, when it last ran") {
    using bridge::protocol::outcome;
    auto settings = wanting({});
    settings.only_failed = true;
    filter wanted(settings);
    for (auto bad : {outcome::failed, outcome::crashed, outcome::timed_out})
        CHECK(wanted.selects(test_that(bad)));
    CHECK(!wanted.selects(test_that(outcome::passed)) && !wanted.selects(test("new.one")));
    CHECK(!wanted.selects(test_that(outcome::skipped)) && wanted.describe() == "--failed");
}

} // namespace

int main() {
    return check::run();
}
