// SPDX-License-Identifier: Apache-2.0
// The py_refs that tests take and keep. Without locks or an order of memory between them: they must
// not hide the races of what is tested.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bridge::harness {

/// A py_ref that is still there, by what it owns.
struct kept_reference {
    std::string type; ///< of the object
    std::string text; ///< and where it was taken
};

/// From now on the users' py_refs are known, of all modules, if they are taken between
/// begin_references() and end_references().
void note_references() noexcept;

/// What was taken before is forgotten.
void begin_references() noexcept;
void end_references() noexcept;

/// Those that are still there. Not those of modules, classes and functions, which live as long as
/// their module, and are kept to be used again. Requires the GIL.
std::vector<kept_reference> kept_references();

/// The same of those that the test took which has this slot, while several run; null: of which it
/// is not known.
std::vector<kept_reference> kept_references_of(const void* slot);

} // namespace bridge::harness
