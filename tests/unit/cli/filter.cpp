// SPDX-License-Identifier: Apache-2.0
// Selection: parts of ids, exact ids, tags and skips together, and words that fit nothing.
#include "filter.hpp"

#include "check.hpp"
#include "options.hpp"

namespace {

using bridge::cli::filter;
using bridge::cli::options;
using texts = std::vector<std::string>;

bridge::protocol::test_info test(const std::string& id, texts tags = {}) {
    bridge::protocol::test_info info;
    info.id = id;
    info.tags = std::move(tags);
    return info;
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

} // namespace

int main() {
    return check::run();
}
