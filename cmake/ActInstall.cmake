# cmake --install: the library, the header, actfn::actfn for find_package, actfn.pc for pkg-config, the
# man page. bench/ installs act-bench and its page.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS actfn EXPORT actfnTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/actfn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES docs/man/libactfn.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)

set(act_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/actfn)
install(EXPORT actfnTargets NAMESPACE actfn:: DESTINATION ${act_cmake_dir})
configure_package_config_file(cmake/actfnConfig.cmake.in ${CMAKE_BINARY_DIR}/actfnConfig.cmake
                              INSTALL_DESTINATION ${act_cmake_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/actfnConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/actfnConfig.cmake ${CMAKE_BINARY_DIR}/actfnConfigVersion.cmake
        DESTINATION ${act_cmake_dir})

# Relative: the prefix may be chosen at install time.
file(RELATIVE_PATH act_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/actfn.pc.in actfn.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/actfn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
