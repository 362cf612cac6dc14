// SPDX-License-Identifier: Apache-2.0
// Umbrella of bridge::protocol: what test binaries and the runner say to each other.
#pragma once

#include <bridge/protocol/duration.hpp>
#include <bridge/protocol/error.hpp>
#include <bridge/protocol/event.hpp>
#include <bridge/protocol/exit_code.hpp>
#include <bridge/protocol/listing.hpp>
#include <bridge/protocol/manifest.hpp>
#include <bridge/protocol/outcome.hpp>
#include <bridge/protocol/serving.hpp>
#include <bridge/protocol/text.hpp>
