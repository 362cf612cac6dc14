// SPDX-License-Identifier: Apache-2.0
#include "serve/serving_channel.hpp"

#include "record/output.hpp"

#include <pybind11/pybind11.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace bridge::harness {
namespace {

constexpr int first_free_descriptor = 100;

int move_up(int descriptor) {
    const int moved = ::fcntl(descriptor, F_DUPFD_CLOEXEC, first_free_descriptor);
    if (moved < 0)
        return descriptor;
    ::close(descriptor);
    return moved;
}

ssize_t read_some(int descriptor, char* data, std::size_t size) {
    const pybind11::gil_scoped_release released; // Python's threads go on while we wait
    ssize_t count;
    do
        count = ::read(descriptor, data, size);
    while (count < 0 && errno == EINTR);
    return count;
}

} // namespace

serving_channel::serving_channel(int descriptor) : descriptor_(move_up(descriptor)) {}

serving_channel::~serving_channel() {
    close();
}

void serving_channel::close() noexcept {
    if (descriptor_ >= 0)
        ::close(std::exchange(descriptor_, -1));
}

std::optional<protocol::run_command> serving_channel::receive() {
    for (;;) {
        if (const auto end = pending_.find('\n'); end != pending_.npos) {
            const auto line = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            return protocol::parse_command(line);
        }
        char buffer[4096];
        const auto count = read_some(descriptor_, buffer, sizeof buffer);
        if (count <= 0)
            return std::nullopt;
        pending_.append(buffer, static_cast<std::size_t>(count));
    }
}

void serving_channel::send(const protocol::serving_event& event) {
    const auto line = protocol::write_serving_event(event);
    write_all(descriptor_, line.data(), line.size());
}

} // namespace bridge::harness
