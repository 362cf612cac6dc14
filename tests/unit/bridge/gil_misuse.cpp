// SPDX-License-Identifier: Apache-2.0
// A debug build ends with a plain message if the GIL is held across a suspension. Each case runs
// in a child, whose end and last words are looked at.
#include "python.hpp"

#include <boost/asio/post.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace asio = boost::asio;
namespace py = pybind11;

namespace {

asio::awaitable<void> hop() {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

asio::awaitable<void> held_by_hand_on_a_native_thread() {
    co_await hop();
    PyGILState_Ensure();
    co_await hop();
}

asio::awaitable<void> held_by_hand_in_the_first_step() {
    PyGILState_Ensure();
    co_await hop();
}

asio::awaitable<void> held_by_hand_at_the_end() {
    co_await hop();
    PyGILState_Ensure();
}

struct ended {
    int status;
    std::string words;
};

template<class F>
ended in_a_child(F&& f) {
    int ends[2];
    if (::pipe(ends) != 0)
        return {-1, "no pipe"};
    const auto child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::alarm(30);
        try {
            f();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "threw: %s\n", error.what());
        }
        ::_exit(0);
    }
    ::close(ends[1]);
    ended end{0, {}};
    char buffer[4096];
    for (ssize_t size = 0; (size = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        end.words.append(buffer, static_cast<std::size_t>(size));
    ::close(ends[0]);
    ::waitpid(child, &end.status, 0);
    return end;
}

bool is_refused(asio::awaitable<void> (*misuse)()) {
    const auto end = in_a_child([misuse] {
        const bridge::interpreter python;
        bridge::run(misuse());
    });
    const bool said = end.words.find("while it held the GIL") != std::string::npos &&
                      end.words.find("bridge::with_gil") != std::string::npos;
    if (!said)
        std::fprintf(stderr, "status %d, said: %s\n", end.status, end.words.c_str());
    return WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT && said;
}

} // namespace

#ifndef NDEBUG

TEST("a coroutine that holds the GIL across a co_await is ended with a message") {
    CHECK(is_refused(&held_by_hand_on_a_native_thread));
}

TEST("also in the step that Python itself runs") {
    CHECK(is_refused(&held_by_hand_in_the_first_step));
}

TEST("also where it ends holding it") {
    CHECK(is_refused(&held_by_hand_at_the_end));
}

TEST("making an awaitable without the GIL is ended with a message") {
    const auto end = in_a_child([] {
        const bridge::interpreter python;
        bridge::without_gil([] { bridge::to_python(hop()); });
    });
    CHECK(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT);
    CHECK(end.words.find("to_python needs the GIL") != std::string::npos);
}

TEST("reading a py_ref without the GIL is ended with a message") {
    const auto end = in_a_child([] {
        const bridge::interpreter python;
        const bridge::py_ref object{py::int_(1)};
        bridge::without_gil([&] { object.get(); });
    });
    CHECK(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGABRT);
    CHECK(end.words.find("py_ref::get needs the GIL") != std::string::npos);
}

#endif

int main() {
    return check::run();
}
