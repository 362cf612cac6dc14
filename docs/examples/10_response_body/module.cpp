// SPDX-License-Identifier: Apache-2.0
// C++ consumes a response body of aiohttp in chunks, as slowly as it likes.
#include <bridge/bridge.hpp>

#include <boost/crc.hpp>

namespace asio = boost::asio;

namespace {

// The checksum of all chunks. After the third one it awaits what `pause` gives.
asio::awaitable<unsigned> checksum(bridge::py_ref chunks, bridge::py_ref pause) {
    auto body = bridge::to_cpp_stream<std::string>(std::move(chunks)); // reads nothing ahead
    boost::crc_32_type sum;
    int number = 0;
    while (const auto chunk = co_await body.next()) {
        sum.process_bytes(chunk->data(), chunk->size());
        if (++number == 3)
            co_await bridge::call<void>(std::move(pause));
    }
    co_await body.close();
    co_return sum.checksum();
}

} // namespace

PYBIND11_MODULE(example_response_body, module) {
    bridge::def_async(module, "checksum", &checksum, pybind11::arg("chunks"),
                      pybind11::arg("pause"));
}
