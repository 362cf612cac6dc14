# `cmake --install`: a config package with the components bridge, harness and runner, and a
# pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(bridge_config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/bridge)

function(bridge_install_component component)
  install(TARGETS ${ARGN} EXPORT bridge_${component}
    COMPONENT ${component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${component}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component})
  install(EXPORT bridge_${component}
    FILE bridge-${component}.cmake NAMESPACE bridge:: COMPONENT ${component}
    DESTINATION ${bridge_config_folder})
endfunction()

bridge_install_component(bridge bridge)
if(BRIDGE_BUILD_HARNESS)
  bridge_install_component(harness bridge_protocol bridge_harness bridge_harness_main)
  install(FILES
      ${PROJECT_SOURCE_DIR}/harness/cmake/bridge_discover_tests.cmake
      ${PROJECT_SOURCE_DIR}/harness/cmake/bridge_list_tests.cmake
      ${PROJECT_SOURCE_DIR}/harness/cmake/bridge_test_arguments.cmake
    DESTINATION ${bridge_config_folder} COMPONENT harness)
endif()
if(BRIDGE_BUILD_CLI)
  # It finds shared libraries of its dependencies where the system has them.
  bridge_install_component(runner bridge_test)
endif()

set(BRIDGE_BUILT_FOR_PYTHON ${Python_VERSION_MAJOR}.${Python_VERSION_MINOR})
string(REGEX MATCH "^[0-9]+" BRIDGE_BUILT_FOR_PYBIND11 ${pybind11_VERSION})
set(BRIDGE_BUILT_FOR_BOOST ${Boost_VERSION_MAJOR}.${Boost_VERSION_MINOR})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/bridgeConfig.cmake.in ${PROJECT_BINARY_DIR}/package/bridgeConfig.cmake
  INSTALL_DESTINATION ${bridge_config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/bridgeConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)
file(RELATIVE_PATH BRIDGE_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /) # which Debian has one folder deeper
configure_file(${CMAKE_CURRENT_LIST_DIR}/bridge.pc.in ${PROJECT_BINARY_DIR}/package/bridge.pc @ONLY)
install(FILES
    ${PROJECT_BINARY_DIR}/package/bridgeConfig.cmake
    ${PROJECT_BINARY_DIR}/package/bridgeConfigVersion.cmake
    ${CMAKE_CURRENT_LIST_DIR}/dependencies.cmake
    ${CMAKE_CURRENT_LIST_DIR}/stubs.cmake
    ${PROJECT_SOURCE_DIR}/bridge/python/bridge_asyncio/stubs.py
  DESTINATION ${bridge_config_folder} COMPONENT bridge)
install(FILES ${PROJECT_BINARY_DIR}/package/bridge.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT bridge)

if(PROJECT_IS_TOP_LEVEL)
  include(${CMAKE_CURRENT_LIST_DIR}/deb.cmake)
endif()
