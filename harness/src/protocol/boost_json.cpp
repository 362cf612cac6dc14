// SPDX-License-Identifier: Apache-2.0
// The one translation unit that compiles Boost.JSON, so that nothing has to be linked for it.
#include <boost/json/src.hpp>
