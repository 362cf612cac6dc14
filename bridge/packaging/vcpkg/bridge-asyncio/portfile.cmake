# An overlay port: it builds the checkout that it stands in.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)

vcpkg_check_linkage(ONLY_STATIC_LIBRARY)
vcpkg_check_features(OUT_FEATURE_OPTIONS features FEATURES
  harness BRIDGE_BUILD_HARNESS
  runner BRIDGE_BUILD_CLI)
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS ${features}
    -DBRIDGE_BUILD_TESTS=OFF
    -DBRIDGE_BUILD_EXAMPLES=OFF
    -DBRIDGE_BUILD_PYTHON=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME bridge CONFIG_PATH lib/cmake/bridge)
vcpkg_fixup_pkgconfig()
if("runner" IN_LIST FEATURES)
  vcpkg_copy_tools(TOOL_NAMES bridge-test AUTO_CLEAN)
endif()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
