// SPDX-License-Identifier: Apache-2.0
// Write, then rename.
#include "output/atomic_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "process/process.hpp"

namespace bridge::cli {

namespace fs = std::filesystem;

namespace {

constexpr int most_links = 40;

fs::path folder_of(const std::string& path) {
    const auto folder = fs::path(path).parent_path();
    return folder.empty() ? fs::path(".") : folder;
}

[[noreturn]] void throw_errno(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
}

// What cannot be replaced: a pipe, a device, and names like /dev/stdout even if that is a file.
bool is_special(const std::string& path) {
    std::error_code ignored;
    return path.starts_with("/dev/") || path.starts_with("/proc/") ||
           (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored));
}

// Renaming onto a link would replace the link; its target is what was meant.
std::string follow_links(fs::path path) {
    std::error_code error;
    for (int i = 0; i < most_links && fs::is_symlink(path, error); ++i)
        path = folder_of(path.string()) / fs::read_symlink(path, error);
    return path.string();
}

void write_all(const unique_fd& to, std::string_view content, const std::string& path) {
    while (!content.empty()) {
        const auto size = ::write(to.get(), content.data(), content.size());
        if (size < 0 && errno != EINTR)
            throw_errno(path);
        content.remove_prefix(size < 0 ? 0 : static_cast<std::size_t>(size));
    }
}

unique_fd open_for_writing(const std::string& path, int flags) {
    unique_fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666));
    if (file.get() < 0)
        throw_errno(path);
    return file;
}

std::string temporary_beside(const std::string& path) {
    return path + "." + std::to_string(::getpid()) + ".tmp";
}

// What no look at the folder tells: a name that is too long, a file system that is read-only.
std::string try_beside(const std::string& path) {
    const auto temporary = temporary_beside(path);
    try {
        open_for_writing(temporary, O_CREAT | O_TRUNC);
    } catch (const std::system_error& error) {
        return error.code().message();
    }
    std::error_code ignored;
    fs::remove(temporary, ignored);
    return {};
}

void write_and_rename(const std::string& path, const std::string& temporary,
                      std::string_view content) {
    const auto file = open_for_writing(temporary, O_CREAT | O_TRUNC);
    write_all(file, content, temporary);
    if (::fsync(file.get()) != 0)
        throw_errno(temporary);
    if (std::rename(temporary.c_str(), path.c_str()) != 0)
        throw_errno(path);
}

} // namespace

std::string why_not_writable(const std::string& path) {
    std::error_code error;
    if (path.empty())
        return "its name is empty; name a file";
    if (fs::is_directory(path, error))
        return "it is a folder; name a file";
    if (fs::exists(folder_of(path), error) && !fs::is_directory(folder_of(path), error))
        return folder_of(path).string() + " is not a folder; name another place";
    if (!fs::is_directory(folder_of(path), error))
        return "the folder " + folder_of(path).string() + " does not exist; create it first";
    if (::access(folder_of(path).c_str(), W_OK) != 0)
        return "the folder " + folder_of(path).string() + " is not writable";
    return is_special(path) ? std::string() : try_beside(follow_links(path));
}

void write_file(const std::string& named, std::string_view content) {
    if (is_special(named)) {
        write_all(open_for_writing(named, O_APPEND), content, named);
        return;
    }
    const auto path = follow_links(named);
    const auto temporary = temporary_beside(path);
    try {
        write_and_rename(path, temporary, content);
    } catch (...) {
        std::error_code ignored;
        fs::remove(temporary, ignored);
        throw;
    }
}

} // namespace bridge::cli
