// SPDX-License-Identifier: Apache-2.0
#include "record/resources.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace bridge::harness {
namespace {

namespace fs = std::filesystem;

// FNV-1a: the same on every machine, unlike std::hash.
std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 14695981039346656037U;
    for (const char c : text)
        value = (value ^ static_cast<unsigned char>(c)) * 1099511628211U;
    return value;
}

// An id as the name of a folder.
std::string folder_name(std::string_view id) {
    std::string name;
    for (const char c : id.substr(0, 200))
        name += c == '/' || static_cast<unsigned char>(c) < 0x20 ? '_' : c;
    return name;
}

} // namespace

resources::resources(std::string test, run_settings settings)
    : test_(std::move(test)), settings_(std::move(settings)) {}

fs::path resources::temporary_folder() {
    const std::lock_guard lock(mutex_);
    if (folder_.empty()) {
        auto pattern = (fs::temp_directory_path() / "bridge-test-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::system_error(errno, std::generic_category(), "cannot create " + pattern);
        folder_ = pattern;
    }
    return folder_;
}

fs::path resources::artifact(std::string_view name) {
    const auto file = fs::path(name).lexically_normal();
    if (file.empty() || file.is_absolute() || *file.begin() == "..")
        throw std::invalid_argument("artifact(\"" + std::string(name) +
                                    "\") is not a file in the test's folder; give a relative name");
    const auto base =
        settings_.artifacts.empty() ? fs::path("bridge-test-artifacts") : settings_.artifacts;
    const auto path = fs::absolute(base / folder_name(test_) / file);
    fs::create_directories(path.parent_path());
    const std::lock_guard lock(mutex_);
    artifacts_.push_back(path);
    return path;
}

std::mt19937_64& resources::random() {
    const std::lock_guard lock(mutex_);
    if (!random_)
        random_.emplace(settings_.seed ^ hash(test_));
    return *random_;
}

std::vector<std::string> resources::end() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> notes;
    std::error_code error;
    if (!folder_.empty() && (fs::remove_all(folder_, error), error))
        notes.push_back("cannot remove " + folder_.string() + ": " + error.message());
    for (const auto& one : artifacts_)
        if (fs::exists(one, error))
            notes.push_back("artifact: " + one.string());
    if (random_)
        notes.push_back("random numbers: repeat them with --seed " +
                        std::to_string(settings_.seed));
    return notes;
}

std::uint16_t find_free_port() {
    const auto fail = [] {
        throw std::system_error(errno, std::generic_category(), "cannot find a free port");
    };
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    if (socket < 0)
        fail();
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool found =
        ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    const int error = errno;
    ::close(socket);
    errno = error;
    if (!found)
        fail();
    return ntohs(address.sin_port);
}

} // namespace bridge::harness
