# `cpack -G DEB`: the packages libbridge-asyncio-dev (the components bridge and harness) and bridge-test (the runner).
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The authors of bridge <authors@bridge.invalid>" CACHE STRING
  "Who answers for the Debian packages")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENTS_ALL bridge harness runner)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/strip.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libbridge-asyncio-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libboost${BRIDGE_BUILT_FOR_BOOST}-dev, libpython${BRIDGE_BUILT_FOR_PYTHON}-dev, \
pybind11-dev (>= ${pybind11_VERSION}), python3-dev, libc6-dev")
set(CPACK_DEBIAN_DEV_DESCRIPTION
"A C++ function that returns asio::awaitable is a coroutine function in
Python, and any Python awaitable can be awaited in C++.

This package has the headers, the static libraries, and the CMake package,
also of the harness for asynchronous integration tests.")
set(CPACK_DEBIAN_RUNNER_PACKAGE_NAME bridge-test)
set(CPACK_DEBIAN_RUNNER_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_RUNNER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNNER_DESCRIPTION
"This package has the runner, bridge-test. It runs test binaries that are
built with the harness of libbridge-asyncio-dev, each test in a process of
its own, and writes reports for people and machines.")

# What each Debian package has: its copyright, its changelog, and a manual page for a program.
find_program(BRIDGE_GZIP gzip)
string(TIMESTAMP bridge_date "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH, if it is set
function(bridge_install_compressed component source destination name)
  set(packed ${PROJECT_BINARY_DIR}/package/${component}/${name}.gz)
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/package/${component})
  execute_process(COMMAND ${BRIDGE_GZIP} -9nc ${source} OUTPUT_FILE ${packed} COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${packed} DESTINATION ${destination} COMPONENT ${component})
endfunction()
function(bridge_install_papers component package)
  install(FILES ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/debian/copyright
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package} COMPONENT ${component})
  if(BRIDGE_GZIP)
    set(bridge_package ${package})
    configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/debian/changelog.in
      ${PROJECT_BINARY_DIR}/package/${component}/changelog @ONLY)
    bridge_install_compressed(${component} ${PROJECT_BINARY_DIR}/package/${component}/changelog
      ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package} changelog)
  endif()
endfunction()
bridge_install_papers(bridge libbridge-asyncio-dev)
if(BRIDGE_BUILD_CLI)
  bridge_install_papers(runner bridge-test)
  if(BRIDGE_GZIP)
    bridge_install_compressed(runner ${PROJECT_SOURCE_DIR}/cli/bridge-test.1 ${CMAKE_INSTALL_MANDIR}/man1 bridge-test.1)
  endif()
endif()

include(CPack)
cpack_add_component(bridge GROUP dev)
cpack_add_component(harness GROUP dev)
cpack_add_component(runner GROUP runner)
