// SPDX-License-Identifier: Apache-2.0
// A Redis client for Python: GET over a pool of connections, awaited, or in the thread that calls.
#include <bridge/bridge.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace py = pybind11;
using asio::ip::tcp;

namespace {

std::string command(const std::string& key) {
    return "*2\r\n$3\r\nGET\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
}

// Of "$5\r\n": how many bytes the value has, with the line's end behind it.
std::size_t size_of_value(const std::string& read) {
    if (read.empty() || read[0] != '$' || read[1] == '-')
        throw std::runtime_error("redis answered " + read);
    return std::stoul(read.substr(1)) + 2;
}

struct connection {
    explicit connection(tcp::socket connected) : socket(std::move(connected)) {
        socket.set_option(tcp::no_delay(true));
    }

    // Takes the value out of what was read: its line has `line` bytes.
    std::string take(std::size_t line, std::size_t size) {
        auto value = read.substr(line, size - 2);
        read.erase(0, line + size);
        return value;
    }

    tcp::socket socket;
    std::string read;
};

// As in docs/guides/shared_objects.md: all that touches members runs on one executor.
class client {
public:
    client(unsigned short port, unsigned connections, bool on_loop)
        : server_(asio::ip::address_v4::loopback(), port), on_(choose(on_loop)),
          free_(on_, connections) {
        for (unsigned i = 0; i < connections; ++i)
            free_.try_send(boost::system::error_code(), nullptr);
    }

    asio::awaitable<std::string> get(std::string key) {
        co_return co_await asio::co_spawn(on_, get_here(std::move(key)), asio::use_awaitable);
    }

private:
    static bridge::executor choose(bool on_loop) {
        return on_loop ? bridge::loop_executor(bridge::current_locals().event_loop())
                       : bridge::default_runtime().make_executor({});
    }

    class place {
    public:
        place(client& owner, std::unique_ptr<connection> its)
            : open(std::move(its)), owner_(owner) {}

        place(const place&) = delete;

        ~place() { owner_.free_.try_send(boost::system::error_code(), std::move(open)); }

        std::unique_ptr<connection> open;

    private:
        client& owner_;
    };

    asio::awaitable<std::string> get_here(std::string key) {
        place mine(*this, co_await free_.async_receive(asio::use_awaitable));
        auto open = std::move(mine.open); // out of the place while an answer is on its way
        if (!open)
            open = co_await connect();
        const auto bytes = command(key);
        co_await asio::async_write(open->socket, asio::buffer(bytes), asio::use_awaitable);
        const auto line = co_await asio::async_read_until(
            open->socket, asio::dynamic_buffer(open->read), "\r\n", asio::use_awaitable);
        const auto size = size_of_value(open->read);
        if (open->read.size() < line + size)
            co_await asio::async_read(open->socket, asio::dynamic_buffer(open->read),
                                      asio::transfer_at_least(line + size - open->read.size()),
                                      asio::use_awaitable);
        auto value = open->take(line, size);
        mine.open = std::move(open);
        co_return value;
    }

    asio::awaitable<std::unique_ptr<connection>> connect() {
        tcp::socket socket(on_);
        co_await socket.async_connect(server_, asio::use_awaitable);
        co_return std::make_unique<connection>(std::move(socket));
    }

    tcp::endpoint server_;
    bridge::executor on_;
    asio::experimental::channel<void(boost::system::error_code, std::unique_ptr<connection>)> free_;
};

// For asyncio.to_thread: each thread has a connection.
std::string get_blocking(unsigned short port, const std::string& key) {
    thread_local asio::io_context context;
    thread_local std::unique_ptr<connection> open;
    const py::gil_scoped_release released;
    if (!open) {
        tcp::socket socket(context);
        socket.connect({asio::ip::address_v4::loopback(), port});
        open = std::make_unique<connection>(std::move(socket));
    }
    asio::write(open->socket, asio::buffer(command(key)));
    const auto line = asio::read_until(open->socket, asio::dynamic_buffer(open->read), "\r\n");
    const auto size = size_of_value(open->read);
    if (open->read.size() < line + size)
        asio::read(open->socket, asio::dynamic_buffer(open->read),
                   asio::transfer_at_least(line + size - open->read.size()));
    return open->take(line, size);
}

} // namespace

PYBIND11_MODULE(bench_redis, module) {
    py::class_<client, std::shared_ptr<client>> type(module, "Client");
    type.def(py::init<unsigned short, unsigned, bool>(), py::arg("port"), py::arg("connections"),
             py::arg("on_loop"));
    bridge::def_async(type, "get", &client::get, py::arg("key"));
    module.def("get_blocking", &get_blocking, py::arg("port"), py::arg("key"));
}
