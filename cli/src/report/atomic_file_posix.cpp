// SPDX-License-Identifier: Apache-2.0
// Write, then rename.
#include "atomic_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "../process.hpp"

namespace bridge::cli {

namespace fs = std::filesystem;

namespace {

fs::path folder_of(const std::string& path) {
    const auto folder = fs::path(path).parent_path();
    return folder.empty() ? fs::path(".") : folder;
}

[[noreturn]] void throw_errno(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
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
    if (fs::is_directory(path, error))
        return "it is a folder; name a file";
    if (!fs::is_directory(folder_of(path), error))
        return "the folder " + folder_of(path).string() + " does not exist; create it first";
    if (::access(folder_of(path).c_str(), W_OK) != 0)
        return "the folder " + folder_of(path).string() + " is not writable";
    return {};
}

void write_file(const std::string& path, std::string_view content) {
    std::error_code ignored;
    if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
        write_all(open_for_writing(path, 0), content, path);
        return;
    }
    const auto temporary = path + "." + std::to_string(::getpid()) + ".tmp";
    try {
        write_and_rename(path, temporary, content);
    } catch (...) {
        fs::remove(temporary, ignored);
        throw;
    }
}

} // namespace bridge::cli
