// SPDX-License-Identifier: Apache-2.0
// The main of bridge::harness_main.
#include <bridge/harness/main.hpp>

int main(int argc, char** argv) {
    return bridge::harness::main(argc, argv);
}
