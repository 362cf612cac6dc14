// SPDX-License-Identifier: Apache-2.0
// Files that are there whole or not at all.
#include "output/atomic_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <sys/stat.h>

#include "check.hpp"

namespace {

namespace fs = std::filesystem;
using bridge::cli::why_not_writable;
using bridge::cli::write_file;

// A folder of its own, gone at the end.
class folder {
public:
    folder() {
        auto name = (fs::temp_directory_path() / "atomic_file.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), name);
        path_ = name;
    }

    ~folder() { fs::remove_all(path_); }

    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    std::string operator/(const char* name) const { return (path_ / name).string(); }

    std::ptrdiff_t files() const { return std::distance(fs::directory_iterator(path_), {}); }

private:
    fs::path path_;
};

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST("a new file is written whole, and nothing else is left") {
    const folder here;
    const std::string content(300'000, '\0');
    write_file(here / "a.xml", content);
    CHECK(content_of(here / "a.xml") == content);
    CHECK(here.files() == 1);
}

TEST("an old file is replaced, also by an empty one") {
    const folder here;
    write_file(here / "a.xml", "old and longer");
    write_file(here / "a.xml", "new");
    CHECK(content_of(here / "a.xml") == "new");
    write_file(here / "a.xml", "");
    CHECK(content_of(here / "a.xml").empty() && here.files() == 1);
}

TEST("whoever reads the old file goes on reading the old file") {
    const folder here;
    write_file(here / "a.xml", "old");
    std::ifstream reader(here / "a.xml");
    write_file(here / "a.xml", "new");
    CHECK(std::string(std::istreambuf_iterator<char>(reader), {}) == "old");
}

TEST("a link is followed: what it points to is replaced, not the link") {
    const folder here;
    fs::create_symlink("target.xml", here / "link.xml");
    write_file(here / "link.xml", "one");
    write_file(here / "link.xml", "two");
    CHECK(fs::is_symlink(here / "link.xml"));
    CHECK(content_of(here / "target.xml") == "two" && here.files() == 2);
}

TEST("a device is written to directly") {
    write_file("/dev/null", "text");
    CHECK(fs::is_character_file("/dev/null"));
}

TEST("a full device is an error") {
    if (fs::exists("/dev/full"))
        CHECK_THROWS(std::system_error, (write_file("/dev/full", "text"), 0));
}

TEST("a failure leaves nothing behind") {
    const folder here;
    fs::create_directory(here / "a.xml");
    std::ofstream(here / "a.xml/inside") << "x";
    CHECK_THROWS(std::system_error, (write_file(here / "a.xml", "text"), 0));
    CHECK_THROWS(std::system_error, (write_file(here / "none/a.xml", "text"), 0));
    CHECK(here.files() == 1);
}

TEST("why a file cannot be written is said, with what to do") {
    const folder here;
    std::ofstream(here / "file") << "x";
    CHECK(why_not_writable(here / "a.xml").empty());
    CHECK(why_not_writable("a.xml").empty());
    CHECK(why_not_writable(here / "").find("it is a folder; name a file") == 0);
    CHECK(why_not_writable(here / "no/a.xml").find("does not exist; create it first") !=
          std::string::npos);
    CHECK(why_not_writable(here / "file/a.xml").find("is not a folder") != std::string::npos);
    CHECK(!why_not_writable("").empty());
}

} // namespace

int main() {
    return check::run();
}
