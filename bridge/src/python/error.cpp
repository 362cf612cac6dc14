// SPDX-License-Identifier: Apache-2.0
#include <bridge/error.hpp>

#include <string>

namespace bridge {
namespace {

// Equal by its number in every module of the process.
class category final : public boost::system::error_category {
public:
    category() noexcept : error_category(0x6272696467652e31ULL) {}

    const char* name() const noexcept override { return "bridge"; }

    std::string message(int code) const override {
        switch (static_cast<errc>(code)) {
        case errc::no_event_loop:
            return "no event loop: this handler carries no task_locals and no asyncio loop runs on "
                   "this thread; call from inside a running loop, run on an executor of "
                   "co_await this_coro::executor, or pass task_locals explicitly";
        case errc::loop_closed:
            return "the event loop was closed before the operation finished; await the operation "
                   "before the loop ends";
        case errc::interpreter_gone:
            return "Python is not running or is shutting down; finish native work before the "
                   "interpreter ends";
        case errc::would_deadlock:
            return "this waits for an event loop that stands still while blocking() waits for "
                   "this; await instead of calling blocking(), or use the locals of the loop that "
                   "runs here";
        case errc::forked:
            return "this process was forked, and the runtime or event loop is its parent's; make a "
                   "new event loop and a new runtime in the child";
        case errc::runtime_stopped:
            return "the runtime was shut down; create a new one or call before shutdown()";
        }
        return "unknown bridge error " + std::to_string(code);
    }
};

} // namespace

const boost::system::error_category& bridge_category() noexcept {
    // Never destroyed: errors may be read while the process exits.
    static const category& instance = *new category;
    return instance;
}

void detail::throw_error(errc e) {
    throw boost::system::system_error(make_error_code(e));
}

} // namespace bridge
