// SPDX-License-Identifier: Apache-2.0
// Umbrella of bridge::harness: all that a test file needs.
#pragma once

#include <bridge/harness/test.hpp>

#include <bridge/harness/check.hpp>
#include <bridge/harness/current.hpp>
#include <bridge/harness/main.hpp>
#include <bridge/harness/near.hpp>
