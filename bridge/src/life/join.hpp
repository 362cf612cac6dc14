// SPDX-License-Identifier: Apache-2.0
// How the images of a process find what they share.
#pragma once

namespace bridge::detail {

/// Joins the state that other images of this interpreter share, or offers this image's. Warns if
/// another image cannot share because it was built with another version. Requires the GIL.
void join_shared_state();

} // namespace bridge::detail
