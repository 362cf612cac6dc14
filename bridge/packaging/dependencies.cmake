# What the project needs of others, with one line about what is missing and how to get it. Used by
# its own build and, as it is, by the installed package.
include_guard(DIRECTORY)

set(BRIDGE_PYTHON_FLOOR 3.10)
set(BRIDGE_PYBIND11_FLOOR 2.10.3)
set(BRIDGE_BOOST_FLOOR 1.81)

# Boost::headers: of Boost's own package, of a folder that the user names, or of a wheel with them.
macro(bridge_find_boost)
  if(POLICY CMP0167)
    cmake_policy(SET CMP0167 NEW) # Boost's own BoostConfig.cmake; CMake 3.30 and later warn otherwise
  endif()
  set(bridge_boost_folder "${Boost_INCLUDE_DIR}") # CMake 3.30 does not look at it
  find_package(Boost ${BRIDGE_BOOST_FLOOR} QUIET)
  if(NOT Boost_FOUND)
    execute_process(COMMAND ${Python_EXECUTABLE} -c
      "from importlib import util; print(util.find_spec('libboost_headers').submodule_search_locations[0])"
      OUTPUT_VARIABLE bridge_boost_wheel OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    foreach(bridge_folder IN ITEMS "${bridge_boost_folder}" "${bridge_boost_wheel}/include")
      if(NOT Boost_FOUND AND EXISTS "${bridge_folder}/boost/version.hpp")
        bridge_use_boost("${bridge_folder}")
      endif()
    endforeach()
  endif()
endmacro()

macro(bridge_use_boost folder)
  file(STRINGS "${folder}/boost/version.hpp" bridge_boost_line REGEX "define BOOST_LIB_VERSION")
  string(REGEX MATCH "\"([0-9]+)_([0-9]+)" bridge_boost_line "${bridge_boost_line}")
  if("${CMAKE_MATCH_1}.${CMAKE_MATCH_2}" VERSION_GREATER_EQUAL BRIDGE_BOOST_FLOOR)
    set(Boost_FOUND TRUE)
    set(Boost_VERSION_MAJOR ${CMAKE_MATCH_1})
    set(Boost_VERSION_MINOR ${CMAKE_MATCH_2})
    if(NOT TARGET Boost::headers)
      add_library(Boost::headers INTERFACE IMPORTED GLOBAL)
      target_include_directories(Boost::headers SYSTEM INTERFACE "${folder}")
    endif()
  endif()
endmacro()

# What is missing of the dependencies of the library, empty if nothing is. A macro,
# since a parent uses the variables that the packages set.
macro(bridge_find_library_dependencies missing)
  set(${missing} "")
  set(PYBIND11_FINDPYTHON ON)
  find_package(Python ${BRIDGE_PYTHON_FLOOR} QUIET COMPONENTS Interpreter Development.Module
               OPTIONAL_COMPONENTS Development.Embed)
  if(NOT Python_Development.Module_FOUND)
    set(${missing} "CPython ${BRIDGE_PYTHON_FLOOR} or later with its headers was not found: install \
python3-dev, or name another one with -DPython_EXECUTABLE=/path/to/python3")
  else()
    find_package(pybind11 ${BRIDGE_PYBIND11_FLOOR} QUIET CONFIG)
    if(NOT pybind11_FOUND)
      # pip's, where CMake does not look by itself
      execute_process(COMMAND ${Python_EXECUTABLE} -m pybind11 --cmakedir
        OUTPUT_VARIABLE bridge_pybind11_dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
      find_package(pybind11 ${BRIDGE_PYBIND11_FLOOR} QUIET CONFIG HINTS "${bridge_pybind11_dir}")
    endif()
    bridge_find_boost()
    find_package(Threads QUIET)
    if(NOT pybind11_FOUND)
      set(${missing} "pybind11 ${BRIDGE_PYBIND11_FLOOR} or later was not found: install pybind11-dev, or \
run '${Python_EXECUTABLE} -m pip install pybind11'")
    elseif(NOT Boost_FOUND)
      set(${missing} "the headers of Boost ${BRIDGE_BOOST_FLOOR} or later were not found: install \
libboost-dev, name a folder that has boost/asio.hpp with -DBoost_INCLUDE_DIR=/path/to/include, or run \
'${Python_EXECUTABLE} -m pip install libboost-headers' (in a build by pip: add \"libboost-headers\" to the requires of pyproject.toml)")
    elseif(NOT Threads_FOUND)
      set(${missing} "this system's threads were not found; look at CMakeFiles/CMakeError.log")
    endif()
  endif()
endmacro()

# The same for the harness, after that.
macro(bridge_find_harness_dependencies missing)
  set(${missing} "")
  if(NOT Python_Development.Embed_FOUND)
    set(${missing} "the harness embeds Python, and ${Python_EXECUTABLE} has no libpython to link to: \
install libpython3-dev, use a Python that was built with --enable-shared, or do without the harness")
  endif()
endmacro()

# And for the runner.
macro(bridge_find_runner_dependencies missing)
  set(${missing} "")
  foreach(bridge_package IN ITEMS fmt CLI11 tomlplusplus)
    find_package(${bridge_package} QUIET CONFIG)
    if(NOT ${bridge_package}_FOUND AND NOT ${missing})
      set(${missing} "${bridge_package}, which the runner is built with, was not found: install \
libfmt-dev, libcli11-dev and libtomlplusplus-dev, or set BRIDGE_BUILD_CLI to OFF")
    endif()
  endforeach()
endmacro()

macro(bridge_find_dependencies)
  bridge_find_library_dependencies(bridge_missing)
  if(NOT bridge_missing AND BRIDGE_BUILD_HARNESS)
    bridge_find_harness_dependencies(bridge_missing)
    # A parent that did not ask for it goes on without.
    if(bridge_missing AND NOT PROJECT_IS_TOP_LEVEL)
      message(STATUS "bridge: ${bridge_missing}")
      set(BRIDGE_BUILD_HARNESS OFF)
      set(bridge_missing "")
    endif()
  endif()
  if(NOT bridge_missing AND BRIDGE_BUILD_CLI)
    bridge_find_runner_dependencies(bridge_missing)
  endif()
  if(bridge_missing)
    message(FATAL_ERROR "bridge: ${bridge_missing}")
  endif()
endmacro()
