// SPDX-License-Identifier: Apache-2.0
// Finding binaries: named, by the manifest of a folder, by the manifest above them.
#include "select/locate.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/error.hpp"
#include "check.hpp"

namespace {

namespace fs = std::filesystem;
using bridge::cli::exit_code;
using bridge::cli::expected_error;
using bridge::cli::locate;

// A folder of its own that is the current one while it lives.
class workplace {
public:
    workplace() : before_(fs::current_path()) {
        auto name = (fs::temp_directory_path() / "locate.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), name);
        path = fs::canonical(name);
        fs::current_path(path);
    }

    ~workplace() {
        fs::current_path(before_);
        fs::remove_all(path);
    }

    workplace(const workplace&) = delete;
    workplace& operator=(const workplace&) = delete;

    void file(const std::string& name, const std::string& content = "x") const {
        fs::create_directories((path / name).parent_path());
        std::ofstream(path / name) << content;
    }

    // A manifest in `folder` with these entries (JSON).
    void manifest(const std::string& folder, const std::string& entries) const {
        file(folder + "/bridge-test-manifest.json",
             R"({"bridge_manifest":1,"binaries":[)" + entries + "]}");
    }

    fs::path path;

private:
    fs::path before_;
};

exit_code code_without_paths() {
    try {
        locate({});
    } catch (const expected_error& error) {
        return error.code();
    }
    return exit_code::passed;
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST("a named binary is found, made absolute, shown as it was named, and taken once") {
    const workplace here;
    here.file("sub/b");
    fs::create_symlink("b", here.path / "sub/link");
    const auto found = locate({"sub/b", "./sub/../sub/b", "sub/link"});
    CHECK(found.problems.empty() && found.binaries.size() == 1);
    CHECK(found.binaries[0].shown_path == "sub/b");
    CHECK(found.binaries[0].path == here.path / "sub/b");
}

TEST("a missing file and a folder without manifest are problems, the others still count") {
    const workplace here;
    here.file("b");
    fs::create_directory("empty");
    const auto found = locate({"./none", "empty", "./b"});
    CHECK(found.binaries.size() == 1 && found.problems.size() == 2);
    CHECK(has(found.problems[0].message, "there is no such file; check the path"));
    CHECK(!has(found.problems[0].message, "--exact"));
    CHECK(has(found.problems[1].message, "has no bridge-test-manifest.json; name a build folder"));
}

TEST("an id with a value is no path, and the message says what it may be") {
    const workplace here;
    for (const auto* id : {"suite.name/1,2", "suite.name/a"})
        CHECK(has(locate({id}).problems[0].message, std::string("write --exact ") + id));
}

TEST("a folder stands for its manifest's binaries, with their settings") {
    const workplace here;
    here.file("build/one");
    here.file("build/two");
    here.manifest("build", R"({"path":")" + (here.path / "build/one").string() +
                               R"(","environment":["A=1"],"working_directory":"/"}, "two")");
    const auto found = locate({"build"});
    CHECK(found.binaries.size() == 2 && found.problems.empty());
    CHECK(found.binaries[0].environment == std::vector<std::string>{"A=1"});
    CHECK(found.binaries[0].working_directory == "/");
    CHECK(found.binaries[1].path == here.path / "build/two"); // relative to the manifest
}

TEST("a binary that is not built is a problem") {
    const workplace here;
    here.manifest("build", R"("gone")");
    const auto found = locate({"build"});
    CHECK(found.problems.size() == 1 && has(found.problems[0].message, "build it first"));
}

TEST("a damaged manifest is a problem that says what to do") {
    const workplace here;
    here.file("build/bridge-test-manifest.json", "{");
    const auto found = locate({"build"});
    CHECK(found.problems.size() == 1 && has(found.problems[0].message, "run CMake again"));
}

TEST("a binary named by itself has the settings of the manifest above it") {
    const workplace here;
    here.file("build/tests/unit/b");
    here.manifest("build", R"({"path":"tests/unit/b","environment":["A=1"]})");
    const auto found = locate({"build/tests/unit/b"});
    CHECK(found.binaries[0].environment == std::vector<std::string>{"A=1"});
    here.file("build/bridge-test-manifest.json", "{");
    CHECK(locate({"build/tests/unit/b"}).binaries[0].environment.empty());
}

TEST("without a path the current folder, build and build/* are searched, in this order") {
    const workplace here;
    CHECK(code_without_paths() == exit_code::no_tests);
    here.file("x");
    here.manifest("build/dev", R"("../../x")");
    CHECK(locate({}).binaries.size() == 1);
    here.manifest("build/asan", "");
    CHECK(code_without_paths() == exit_code::usage);
    here.manifest("build", "");
    CHECK(locate({}).binaries.empty());
    here.manifest(".", R"("x","build/dev/none")");
    CHECK(locate({}).binaries.size() == 1 && locate({}).problems.size() == 1);
}

} // namespace

int main() {
    return check::run();
}
