# SPDX-License-Identifier: Apache-2.0
# bridge_add_test and bridge_discover_tests: every test of a binary as a test of CTest's, and the
# binary in bridge-test-manifest.json, from which bridge-test knows how CTest would start it.
# docs/reference/cmake.md tells how to use them.
include_guard(GLOBAL)

include(${CMAKE_CURRENT_LIST_DIR}/bridge_test_arguments.cmake)

# bridge_add_test(name source... [as bridge_discover_tests])
# A test binary from its sources, with the main of bridge::harness_main.
function(bridge_add_test name)
  _bridge_hide_arguments(words 1)
  _bridge_parse_call("bridge_add_test(${name})")
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "bridge_add_test(${name}): name its source files after its name")
  endif()
  set(sources)
  foreach(source IN LISTS arg_UNPARSED_ARGUMENTS)
    _bridge_show(source) # a list of files, too
    list(APPEND sources ${source})
  endforeach()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE bridge::harness_main)
  set(target ${name})
  set(arg_UNPARSED_ARGUMENTS)
  _bridge_discover()
endfunction()

# bridge_discover_tests(target [TEST_PREFIX prefix] [TIMEOUT seconds] [LABELS label...]
#                       [ENVIRONMENT NAME=value...] [WORKING_DIRECTORY folder]
#                       [DISCOVERY_TIMEOUT seconds] [DISCOVERY_MODE PRE_TEST|POST_BUILD]
#                       [PROPERTIES name value...])
# The tests of an executable that is linked to bridge::harness, named <prefix><target>.<id>.
function(bridge_discover_tests target)
  _bridge_hide_arguments(words 1)
  _bridge_parse_call("bridge_discover_tests(${target})")
  _bridge_discover()
endfunction()

macro(_bridge_parse_call text)
  set(call "${text}")
  set(values TEST_PREFIX TIMEOUT WORKING_DIRECTORY DISCOVERY_TIMEOUT DISCOVERY_MODE)
  _bridge_parse("${words}" "${values}" "LABELS;ENVIRONMENT")
  _bridge_split_environment(arg_ENVIRONMENT)
  _bridge_split_labels(arg_LABELS)
endmacro()

macro(_bridge_discover)
  _bridge_check_arguments()
  if(NOT DEFINED arg_WORKING_DIRECTORY)
    set(arg_WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  if(NOT arg_WORKING_DIRECTORY MATCHES "^\\$<") # else it is known when all is generated
    cmake_path(ABSOLUTE_PATH arg_WORKING_DIRECTORY BASE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  if(NOT DEFINED arg_DISCOVERY_TIMEOUT)
    set(arg_DISCOVERY_TIMEOUT 60)
  endif()
  _bridge_find_launcher()
  # A binary may be discovered again with another prefix and environment; bridge-test uses the
  # first.
  get_property(calls TARGET ${target} PROPERTY BRIDGE_DISCOVERIES)
  math(EXPR number "0${calls} + 1" OUTPUT_FORMAT DECIMAL)
  set_target_properties(${target} PROPERTIES BRIDGE_DISCOVERIES ${number})
  set(base "${CMAKE_CURRENT_BINARY_DIR}/${target}_discovery_${number}")
  _bridge_write_discovery()
  _bridge_write_include()
  if(arg_DISCOVERY_MODE STREQUAL "POST_BUILD")
    add_custom_command(TARGET ${target} POST_BUILD VERBATIM
      BYPRODUCTS "${base}-$<CONFIG>/tests.cmake"
      COMMAND "${CMAKE_COMMAND}" -P "${base}-$<CONFIG>/discover.cmake")
  endif()
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${base}.cmake")
  if(number EQUAL 1)
    _bridge_add_to_manifest()
  endif()
endmacro()

# What the binary is started by, as CMake's own test commands do it: an emulator, a wrapper.
macro(_bridge_find_launcher)
  set(arg_LAUNCHER)
  foreach(property IN ITEMS TEST_LAUNCHER CROSSCOMPILING_EMULATOR)
    get_property(launcher TARGET ${target} PROPERTY ${property})
    if(launcher)
      list(POP_FRONT launcher program)
      find_program(found NAMES "${program}" NO_CACHE)
      if(NOT found)
        message(FATAL_ERROR "${call}: ${property} names '${program}', which is not there")
      endif()
      list(APPEND arg_LAUNCHER "${found}" ${launcher})
      unset(found)
    endif()
  endforeach()
endmacro()

macro(_bridge_check_arguments)
  if(NOT TARGET ${target})
    message(FATAL_ERROR "${call}: there is no such target; call it after add_executable")
  endif()
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "EXECUTABLE")
    message(FATAL_ERROR "${call}: the target is not an executable but a ${type}")
  endif()
  if(arg_UNPARSED_ARGUMENTS)
    _bridge_show(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "${call}: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(arg_PROBLEM)
    message(FATAL_ERROR "${call}: ${arg_PROBLEM}")
  endif()
  if(NOT DEFINED arg_DISCOVERY_MODE)
    set(arg_DISCOVERY_MODE PRE_TEST)
  endif()
  if(NOT arg_DISCOVERY_MODE MATCHES "^(PRE_TEST|POST_BUILD)$")
    message(FATAL_ERROR "${call}: DISCOVERY_MODE is PRE_TEST or POST_BUILD, "
                        "not ${arg_DISCOVERY_MODE}")
  endif()
  foreach(number IN ITEMS TIMEOUT DISCOVERY_TIMEOUT)
    if(DEFINED arg_${number} AND NOT arg_${number} MATCHES "^[1-9][0-9]*$")
      message(FATAL_ERROR "${call}: ${number} is a number of seconds, not '${arg_${number}}'")
    endif()
  endforeach()
  foreach(setting IN LISTS arg_ENVIRONMENT)
    if(NOT setting MATCHES "^[^=]+=")
      _bridge_show(setting)
      message(FATAL_ERROR "${call}: ENVIRONMENT takes NAME=value, not '${setting}'")
    endif()
    _bridge_show(setting)
    _bridge_must_be_last(is_last "${setting}")
    if(is_last AND DEFINED last)
      message(FATAL_ERROR "${call}: CTest takes but one variable that ends in a backslash or has "
                          "an unbalanced bracket: here are '${last}' and '${setting}'")
    elseif(is_last)
      set(last "${setting}")
    endif()
  endforeach()
  unset(last)
endmacro()

# All that is known now, for the script that runs the binary: CTest or the build includes it.
macro(_bridge_write_discovery)
  set(content "include([==[${CMAKE_CURRENT_FUNCTION_LIST_DIR}/bridge_list_tests.cmake]==])\n")
  string(APPEND content "bridge_list_tests(\n"
    "  TARGET [==[${target}]==]\n"
    "  BINARY [==[$<TARGET_FILE:${target}>]==]\n"
    "  OUTPUT [==[${base}-$<CONFIG>]==]\n"
    "  CMAKE [==[${CMAKE_COMMAND}]==]\n")
  foreach(name IN LISTS values)
    if(DEFINED arg_${name})
      string(APPEND content "  ${name} [==[${arg_${name}}]==]\n")
    endif()
  endforeach()
  foreach(name IN ITEMS LAUNCHER LABELS ENVIRONMENT PROPERTIES)
    if(DEFINED arg_${name})
      string(APPEND content "  ${name}")
      foreach(word IN LISTS arg_${name})
        _bridge_show(word)
        string(APPEND content " [==[${word}]==]")
      endforeach()
      string(APPEND content "\n")
    endif()
  endforeach()
  file(GENERATE OUTPUT "${base}-$<CONFIG>/discover.cmake" CONTENT "${content})\n")
endmacro()

# What CTest includes.
macro(_bridge_write_include)
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  set(config "${CMAKE_BUILD_TYPE}")
  if(is_multi_config)
    set(config "\${CTEST_CONFIGURATION_TYPE}")
  endif()
  set(needed tests.cmake)
  set(ask "")
  if(arg_DISCOVERY_MODE STREQUAL "PRE_TEST")
    set(needed discover.cmake)
    set(ask "  include(\"\${bridge_discovery}/discover.cmake\")\n")
  endif()
  file(WRITE "${base}.cmake"
    "set(bridge_discovery [==[${base}-]==])\n"
    "string(APPEND bridge_discovery \"${config}\")\n"
    "if(EXISTS \"\${bridge_discovery}/${needed}\")\n"
    "${ask}"
    "  include(\"\${bridge_discovery}/tests.cmake\")\n"
    "else()\n"
    "  add_test([==[${target}_NOT_BUILT]==] [==[${target}_NOT_BUILT]==])\n"
    "endif()\n")
endmacro()

macro(_bridge_add_to_manifest)
  _bridge_json_strings(settings "${arg_ENVIRONMENT}")
  _bridge_json_string(folder "${arg_WORKING_DIRECTORY}")
  set(entry "{\"path\":\"$<TARGET_FILE:${target}>\",\"environment\":${settings}")
  if(arg_LAUNCHER)
    _bridge_json_strings(launcher "${arg_LAUNCHER}")
    string(APPEND entry ",\"launcher\":${launcher}")
  endif()
  if(DEFINED arg_TIMEOUT)
    string(APPEND entry ",\"timeout_ms\":${arg_TIMEOUT}000")
  endif()
  get_property(entries GLOBAL PROPERTY _bridge_manifest_entries)
  if(NOT entries)
    # At the very end of the top project: all entries are known by then.
    cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL _bridge_write_manifest)
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY _bridge_manifest_entries
               ",\n${entry},\"working_directory\":${folder}}")
endmacro()

# An array of the elements of a list that is hidden, or needs not be.
function(_bridge_json_strings result words)
  set(strings "")
  foreach(word IN LISTS words)
    _bridge_show(word)
    _bridge_json_string(string "${word}")
    string(APPEND strings ",${string}")
  endforeach()
  string(REGEX REPLACE "^," "" strings "${strings}")
  set(${result} "[${strings}]" PARENT_SCOPE)
endfunction()

function(_bridge_json_string result text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n" text "${text}")
  string(REPLACE "\t" "\\t" text "${text}")
  set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

function(_bridge_write_manifest)
  get_property(entries GLOBAL PROPERTY _bridge_manifest_entries)
  string(SUBSTRING "${entries}" 1 -1 entries)
  get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  set(folder "${CMAKE_BINARY_DIR}")
  set(is ".")
  if(is_multi_config)
    string(APPEND folder "/$<CONFIG>")
    set(is "..")
  endif()
  _bridge_json_string(was "${CMAKE_BINARY_DIR}")
  file(GENERATE OUTPUT "${folder}/bridge-test-manifest.json"
       CONTENT "{\"bridge_manifest\":1,\"build_folder\":{\"was\":${was},\"is\":\"${is}\"},\"binaries\":[${entries}\n]}\n")
endfunction()
