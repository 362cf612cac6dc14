# SPDX-License-Identifier: Apache-2.0
# Run by ctest when it starts: asks one test binary for its tests. What bridge_discover_tests knew is
# in variables of these names: target, binary, TEST_PREFIX, LABELS, ...

# Beyond a test's own time-out, so that the harness and not CTest explains a hang.
set(grace_seconds 10)

function(bridge_add_listed_test test)
  string(JSON id GET "${test}" id)
  string(JSON file GET "${test}" file)
  string(JSON line GET "${test}" line)
  string(JSON milliseconds GET "${test}" timeout_ms)
  string(JSON tag_count LENGTH "${test}" tags)
  set(labels ${LABELS})
  if(tag_count GREATER 0)
    math(EXPR last "${tag_count} - 1")
    foreach(index RANGE ${last})
      string(JSON tag GET "${test}" tags ${index})
      list(APPEND labels "${tag}")
    endforeach()
  endif()
  math(EXPR seconds "(${milliseconds} + 999) / 1000 + ${grace_seconds}")
  set(name "${TEST_PREFIX}${id}")
  add_test("${name}" "${binary}" --run-exact "${id}")
  set_tests_properties("${name}" PROPERTIES
    TIMEOUT ${seconds}
    SKIP_RETURN_CODE 77
    WORKING_DIRECTORY "${WORKING_DIRECTORY}"
    ENVIRONMENT "${ENVIRONMENT}"
    LABELS "${labels}"
    _BACKTRACE_TRIPLES "${file};${line};bridge_discover_tests")
  if(PROPERTIES)
    set_tests_properties("${name}" PROPERTIES ${PROPERTIES})
  endif()
endfunction()

# An entry that fails and says why, so that a missing binary is no silent success.
function(bridge_add_failure name why)
  add_test("${TEST_PREFIX}${name}" "${CMAKE_COMMAND}" -E cat "${why}")
  set_tests_properties("${TEST_PREFIX}${name}" PROPERTIES LABELS "${LABELS}")
endfunction()

if(NOT EXISTS "${binary}")
  bridge_add_failure(${target}_NOT_BUILT "${binary} is not built")
  return()
endif()
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env ${ENVIRONMENT} "${binary}" --list --format json
  WORKING_DIRECTORY "${WORKING_DIRECTORY}"
  TIMEOUT ${DISCOVERY_TIMEOUT}
  OUTPUT_VARIABLE listing
  ERROR_VARIABLE errors
  RESULT_VARIABLE code)
if(NOT code STREQUAL "0")
  bridge_add_failure(${target}_NOT_LISTED "${binary} did not list its tests: ${code} ${errors}")
  return()
endif()
string(JSON count ERROR_VARIABLE error LENGTH "${listing}" tests)
if(error)
  bridge_add_failure(${target}_NOT_LISTED "${binary} listed no tests that can be read: ${error}")
  return()
endif()
if(count GREATER 0)
  math(EXPR last "${count} - 1")
  foreach(index RANGE ${last})
    string(JSON test GET "${listing}" tests ${index})
    bridge_add_listed_test("${test}")
  endforeach()
endif()
