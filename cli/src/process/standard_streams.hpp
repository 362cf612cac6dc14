// SPDX-License-Identifier: Apache-2.0
// Descriptors 0, 1 and 2, which a caller may have closed.
#pragma once

namespace bridge::cli {

/// Opens those that are closed onto /dev/null, so that no pipe or report ever gets their numbers.
void open_standard_streams();

} // namespace bridge::cli
