// SPDX-License-Identifier: Apache-2.0
#include "run/exit_now.hpp"

#include "run/early_exit.hpp"

#include <unistd.h>

// Of GCC's libgcov and of LLVM's profile library; null in a program that is built without.
extern "C" {
[[gnu::weak]] void __gcov_exit();
[[gnu::weak]] int __llvm_profile_write_file();
}

namespace bridge::harness {

void exit_now(int code) noexcept {
    if (&__gcov_exit != nullptr)
        __gcov_exit();
    if (&__llvm_profile_write_file != nullptr)
        __llvm_profile_write_file();
    order_exit(code);
    ::_exit(code);
}

} // namespace bridge::harness
