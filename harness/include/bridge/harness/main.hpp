// SPDX-License-Identifier: Apache-2.0
// The test program's main.
#pragma once

namespace bridge::harness {

/// Answers the command line of a test binary (see --help) and returns its exit code. Call it on the
/// main thread; it starts Python when a test has to run, unless Python runs and the caller holds
/// the GIL. bridge::harness_main is a main that calls it.
int main(int argc, char** argv);

} // namespace bridge::harness
