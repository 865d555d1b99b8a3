# SLEEF through pkg-config: target SLEEF::sleef, and SLEEF_HAS_SSE4 (its sse4 names ended with 3.9).
find_package(PkgConfig REQUIRED)
pkg_check_modules(SLEEF_PC QUIET IMPORTED_TARGET sleef)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SLEEF REQUIRED_VARS SLEEF_PC_FOUND VERSION_VAR SLEEF_PC_VERSION)

if(SLEEF_FOUND AND NOT TARGET SLEEF::sleef)
  add_library(SLEEF::sleef ALIAS PkgConfig::SLEEF_PC)
  include(CheckLibraryExists)
  set(CMAKE_REQUIRED_LIBRARIES PkgConfig::SLEEF_PC)
  check_library_exists("" Sleef_expd2_u10sse4 "" SLEEF_HAS_SSE4)
  unset(CMAKE_REQUIRED_LIBRARIES)
endif()
