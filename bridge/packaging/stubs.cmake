# SPDX-License-Identifier: Apache-2.0
# bridge_stubs(target): writes <module>.pyi beside an extension module when it is built, for type checkers. By
# pybind11-stubgen, and with bridge's coroutine functions as `async def`. docs/guides/binding.md shows its use.
include_guard(GLOBAL)

function(bridge_stubs target)
  if(NOT TARGET ${target} OR ARGN)
    message(FATAL_ERROR "bridge_stubs(${target} ${ARGN}): takes the target of one extension module; call it after pybind11_add_module")
  endif()
  execute_process(COMMAND ${Python_EXECUTABLE} -c "import pybind11_stubgen"
    RESULT_VARIABLE is_missing OUTPUT_QUIET ERROR_QUIET)
  if(is_missing)
    message(FATAL_ERROR "bridge_stubs(${target}): ${Python_EXECUTABLE} has no pybind11-stubgen: run '${Python_EXECUTABLE} "
      "-m pip install pybind11-stubgen' (in a build by pip: add \"pybind11-stubgen\" to the requires of pyproject.toml)")
  endif()
  set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
  foreach(place IN ITEMS ${here}/../python/bridge_asyncio ${here} ${here}/../../../..) # a checkout, a prefix, a wheel
    cmake_path(SET script NORMALIZE ${place}/stubs.py)
    if(EXISTS ${script})
      break()
    endif()
  endforeach()
  set(folder $<TARGET_FILE_DIR:${target}>)
  get_target_property(name ${target} OUTPUT_NAME)
  if(NOT name)
    set(name ${target})
  endif()
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
    COMMAND ${CMAKE_COMMAND} -E env PYTHONPATH=${folder} ${Python_EXECUTABLE} ${script} ${name} ${folder})
endfunction()
