# SPDX-License-Identifier: Apache-2.0
# The arguments of bridge_discover_tests and of what it writes for CTest. Words are kept hidden in
# lists: no character of theirs takes a list of CMake's apart, or joins two of its elements.
include_guard(GLOBAL)

# Characters that no text has, in place of those that mean something in a list. Not variables of
# this file: callers are in other folders, and do not see them.
macro(_bridge_name_characters)
  if(NOT DEFINED _bridge_semicolon)
    string(ASCII 1 _bridge_semicolon)
    string(ASCII 2 _bridge_opening)
    string(ASCII 3 _bridge_closing)
    string(ASCII 4 _bridge_backslash)
    string(ASCII 5 _bridge_nothing)
    string(ASCII 6 _bridge_escaped_semicolon)
  endif()
endmacro()

macro(_bridge_hide variable)
  _bridge_name_characters()
  string(REPLACE ";" "${_bridge_semicolon}" ${variable} "${${variable}}")
  string(REPLACE "[" "${_bridge_opening}" ${variable} "${${variable}}")
  string(REPLACE "]" "${_bridge_closing}" ${variable} "${${variable}}")
  string(REPLACE "\\" "${_bridge_backslash}" ${variable} "${${variable}}")
  if("${${variable}}" STREQUAL "")
    set(${variable} "${_bridge_nothing}") # an empty one would be no element
  endif()
endmacro()

macro(_bridge_show variable)
  _bridge_name_characters()
  string(REPLACE "${_bridge_semicolon}" ";" ${variable} "${${variable}}")
  string(REPLACE "${_bridge_opening}" "[" ${variable} "${${variable}}")
  string(REPLACE "${_bridge_closing}" "]" ${variable} "${${variable}}")
  string(REPLACE "${_bridge_backslash}" "\\" ${variable} "${${variable}}")
  string(REPLACE "${_bridge_nothing}" "" ${variable} "${${variable}}")
endmacro()

# In a function: its arguments from this one on, hidden. ARGV0 and so on are its own by this detour.
macro(_bridge_hide_arguments result first)
  set(${result})
  set(_bridge_count ARGC)
  foreach(_bridge_at RANGE ${first} 1000)
    if(NOT _bridge_at LESS ${${_bridge_count}})
      break()
    endif()
    set(_bridge_word "ARGV${_bridge_at}")
    set(_bridge_word "${${_bridge_word}}")
    _bridge_hide(_bridge_word)
    list(APPEND ${result} "${_bridge_word}")
  endforeach()
endmacro()

# Sets arg_<NAME> for each of `values` and `lists` that is among the words, arg_PROPERTIES (names
# and values in turn), arg_UNPARSED_ARGUMENTS and arg_PROBLEM. Lists stay hidden. What CTest calls a
# property and we a keyword may stand on either side of PROPERTIES.
function(_bridge_parse words values lists)
  foreach(name IN LISTS values lists ITEMS PROPERTIES)
    unset(_${name})
  endforeach()
  set(problem "")
  set(unparsed)
  set(keyword "")        # whose words these are
  set(wants_value "")    # the keyword, or the property, whose value comes next
  set(is_in_properties FALSE)
  foreach(word IN LISTS words)
    if(NOT wants_value STREQUAL "")
      if(wants_value IN_LIST values)
        _bridge_show(word)
        set(_${wants_value} "${word}")
      else()
        list(APPEND _PROPERTIES "${wants_value}" "${word}")
      endif()
      set(wants_value "")
    elseif(word IN_LIST values)
      set(wants_value "${word}")
      set(keyword "")
    elseif(word IN_LIST lists)
      set(keyword "${word}")
      set(_${keyword} "${_${keyword}}")
    elseif(word STREQUAL "PROPERTIES")
      set(is_in_properties TRUE)
      set(keyword "")
    elseif(is_in_properties AND (keyword STREQUAL "" OR
           (keyword STREQUAL "ENVIRONMENT" AND NOT word MATCHES "=")))
      set(wants_value "${word}")
      set(keyword "")
    elseif(keyword STREQUAL "")
      list(APPEND unparsed "${word}")
    else()
      list(APPEND _${keyword} "${word}")
      if(is_in_properties AND NOT keyword STREQUAL "ENVIRONMENT")
        set(keyword "") # a property has one value
      endif()
    endif()
  endforeach()
  if(NOT wants_value STREQUAL "")
    set(problem "${wants_value} has no value")
  endif()
  foreach(name IN LISTS values lists ITEMS PROPERTIES)
    if(DEFINED _${name})
      set(arg_${name} "${_${name}}" PARENT_SCOPE)
    else()
      unset(arg_${name} PARENT_SCOPE)
    endif()
  endforeach()
  set(arg_UNPARSED_ARGUMENTS "${unparsed}" PARENT_SCOPE)
  set(arg_PROBLEM "${problem}" PARENT_SCOPE)
endfunction()

# As CTest's own properties are written, "A=1;B=2" is two variables; "A=x;y" is one with a list, and
# so is what has its semicolon escaped.
function(_bridge_split_environment variable)
  _bridge_name_characters()
  _bridge_split_words(words "${${variable}}" "${_bridge_semicolon}([A-Za-z_][A-Za-z0-9_]*=)" ";\\1")
  set(${variable} "${words}" PARENT_SCOPE)
endfunction()

# "a;b" is two labels.
function(_bridge_split_labels variable)
  _bridge_name_characters()
  _bridge_split_words(words "${${variable}}" "${_bridge_semicolon}" ";")
  set(${variable} "${words}" PARENT_SCOPE)
endfunction()

function(_bridge_split_words result words pattern replacement)
  string(REPLACE "${_bridge_backslash}${_bridge_semicolon}" "${_bridge_escaped_semicolon}"
         words "${words}")
  string(REGEX REPLACE "${pattern}" "${replacement}" words "${words}")
  string(REPLACE "${_bridge_escaped_semicolon}" "${_bridge_semicolon}" words "${words}")
  set(${result} "${words}" PARENT_SCOPE)
endfunction()

# Whether an element would join the one after it in a list of CTest's, so that it must be the last.
function(_bridge_must_be_last result element)
  string(REGEX REPLACE "[^[]" "" opening "${element}")
  string(REGEX REPLACE "[^]]" "" closing "${element}")
  string(LENGTH "${opening}" opened)
  string(LENGTH "${closing}" closed)
  set(${result} FALSE PARENT_SCOPE)
  if(NOT opened EQUAL closed OR element MATCHES "\\\\$")
    set(${result} TRUE PARENT_SCOPE)
  endif()
endfunction()
