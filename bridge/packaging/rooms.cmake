# bridge_compile_by_room(target): the sources of one folder are compiled together, which takes a third of
# the time, as most of it goes into headers. With BRIDGE_UNITY off each file is compiled by itself.
function(bridge_compile_by_room target)
  if(NOT BRIDGE_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(GET source PARENT_PATH folder)
    string(MAKE_C_IDENTIFIER "${folder}" room)
    set_property(SOURCE ${source} PROPERTY UNITY_GROUP ${room})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
