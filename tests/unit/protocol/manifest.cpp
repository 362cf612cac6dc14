// SPDX-License-Identifier: Apache-2.0
// Manifests: the two forms of an entry and every way in which one can be wrong.
#include <bridge/protocol/manifest.hpp>

#include <string>

#include "check.hpp"

namespace {

using namespace bridge::protocol;

std::vector<manifest_binary> read(const std::string& binaries) {
    return parse_manifest("{\"bridge_manifest\":1,\"binaries\":" + binaries + "}");
}

std::string why_not(const std::string& binaries) {
    try {
        read(binaries);
    } catch (const protocol_error& error) {
        return error.what();
    }
    return {};
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST("an entry is a path or an object, in the order of the file") {
    const auto binaries = read(R"(["/b/one",{"path":"/b/two"}])");
    CHECK(binaries.size() == 2);
    CHECK(binaries[0].path == "/b/one" && binaries[0].environment.empty());
    CHECK(binaries[1].path == "/b/two" && binaries[1].working_directory.empty());
}

TEST("environment and working directory are read; a value may be empty or have a '='") {
    const auto binaries =
        read(R"([{"path":"/b","environment":["A=1","B=","C=x=y"],"working_directory":"/w"}])");
    CHECK(binaries[0].environment == std::vector<std::string>({"A=1", "B=", "C=x=y"}));
    CHECK(binaries[0].working_directory == "/w");
}

TEST("a time-out in milliseconds is read, other values are refused") {
    CHECK(read(R"([{"path":"/b","timeout_ms":5000}])")[0].timeout_ms == 5'000);
    CHECK(read(R"([{"path":"/b"}])")[0].timeout_ms == 0);
    for (auto value : {"0", "-1", "1.5", "\"5s\""})
        CHECK(has(why_not(std::string(R"([{"path":"/b","timeout_ms":)") + value + "}]"),
                  "field \"timeout_ms\""));
}

TEST("a launcher is a program and its arguments") {
    CHECK(read(R"([{"path":"/b"}])")[0].launcher.empty());
    CHECK(read(R"([{"path":"/b","launcher":["/bin/qemu","-L","/sys root"]}])")[0].launcher ==
          std::vector<std::string>({"/bin/qemu", "-L", "/sys root"}));
    CHECK(has(why_not(R"([{"path":"/b","launcher":"qemu"}])"), "must be an array"));
}

TEST("what is in the build folder is looked for where that is now") {
    const auto read_in = [](const char* folder, const std::string& is) {
        return parse_manifest(
            R"({"bridge_manifest":1,"build_folder":{"was":"/old/build","is":")" + is +
                R"("},"binaries":[{"path":"/old/build/a/b","working_directory":"/old/build",)"
                R"("environment":["P=/old/build/x:/old/build","Q=/old/builder/x"]},"/other/b"]})",
            folder);
    };
    for (const auto& [folder, is] : {std::pair("/new", "."), std::pair("/new/Release", "..")}) {
        const auto moved = read_in(folder, is);
        CHECK(moved[0].path == "/new/a/b" && moved[0].working_directory == "/new");
        CHECK(moved[0].environment ==
              std::vector<std::string>({"P=/new/x:/new", "Q=/old/builder/x"}));
        CHECK(moved[1].path == "/other/b");
    }
    CHECK(read_in("/old/build", ".")[0].path == "/old/build/a/b");
}

TEST("no binaries is a manifest too, unknown keys are ignored") {
    CHECK(read("[]").empty());
    CHECK(read(R"([{"path":"/b","later":1}])").size() == 1);
}

TEST("a setting without a name or without '=' is refused and shown") {
    CHECK(has(why_not(R"([{"path":"/b","environment":["PATH"]}])"), "not \"PATH\""));
    CHECK(has(why_not(R"([{"path":"/b","environment":["=x"]}])"), "not \"=x\""));
    CHECK(has(why_not(R"([{"path":"/b","environment":[""]}])"), "must hold NAME=value"));
    CHECK(has(why_not(R"([{"path":"/b","environment":[1]}])"), "must hold strings only"));
    CHECK(has(why_not(R"([{"path":"/b","environment":"A=1"}])"), "must be an array"));
}

TEST("a wrong entry is refused") {
    CHECK(has(why_not("[7]"), "neither a path nor an object"));
    CHECK(has(why_not("[{}]"), "\"path\" is missing"));
    CHECK(has(why_not("{}"), "must be an array"));
    CHECK(has(why_not(R"([{"path":""}])"), "\"path\" is empty"));
    CHECK(has(why_not(R"([""])"), "\"path\" is empty"));
}

TEST("another version, a cut file and another format are refused") {
    CHECK_THROWS(protocol_error, parse_manifest(R"({"bridge_manifest":2,"binaries":[]})"));
    CHECK_THROWS(protocol_error, parse_manifest(R"({"binaries":[]})"));
    CHECK_THROWS(protocol_error, parse_manifest(R"({"bridge_manifest":1})"));
    CHECK_THROWS(protocol_error, parse_manifest(R"({"bridge_manifest":1,"binar)"));
    CHECK_THROWS(protocol_error, parse_manifest(""));
    CHECK_THROWS(protocol_error, parse_manifest(R"(["/b/one"])"));
}

} // namespace

int main() {
    return check::run();
}
