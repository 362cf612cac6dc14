# What goes into the wheel: the package with its native part, bridge-test on PATH, and the sources that a
# user's own extension compiles, since a library would tie it to one compiler, Python and Boost.
set(bridge_package_folder ${SKBUILD_PLATLIB_DIR}/bridge_asyncio)
install(TARGETS bridge_asyncio_native COMPONENT wheel LIBRARY DESTINATION ${bridge_package_folder})
install(TARGETS bridge_test COMPONENT wheel RUNTIME DESTINATION ${SKBUILD_SCRIPTS_DIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/bridge ${PROJECT_SOURCE_DIR}/harness
  COMPONENT wheel DESTINATION ${bridge_package_folder}/cmake/source
  FILES_MATCHING
    PATTERN "*.cpp" PATTERN "*.hpp" PATTERN "*.in" PATTERN "*.py" PATTERN "*.cmake" PATTERN "CMakeLists.txt"
    PATTERN "bridge/python" EXCLUDE)
install(FILES ${PROJECT_SOURCE_DIR}/CMakeLists.txt ${PROJECT_SOURCE_DIR}/LICENSE
  COMPONENT wheel DESTINATION ${bridge_package_folder}/cmake/source)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/bridgeConfigVersion.cmake
  COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES
    ${PROJECT_BINARY_DIR}/package/bridgeConfigVersion.cmake
    ${CMAKE_CURRENT_LIST_DIR}/sources/bridgeConfig.cmake
  COMPONENT wheel DESTINATION ${bridge_package_folder}/cmake)
