// SPDX-License-Identifier: Apache-2.0
// The version of this library, and of what several modules in one process share.
#pragma once

#define BRIDGE_VERSION_MAJOR 0
#define BRIDGE_VERSION_MINOR 1
#define BRIDGE_VERSION_PATCH 0
#define BRIDGE_VERSION "0.1.0"

/// Raised whenever the layout of what modules share changes.
#define BRIDGE_ABI_VERSION 19
