# checkact: every ISA x kind against the double reference. test_reference: that against MPFR.
act_kernel_library(act_test_data scalar 0 -DACT_TEST_DATA=1)

add_library(act_check OBJECT check_call.c check_inputs.c)
add_executable(checkact checkact.c check_accuracy.c check_memory.c check_sweep.c)

find_package(PkgConfig REQUIRED)
pkg_check_modules(MPFR REQUIRED IMPORTED_TARGET mpfr)
add_executable(test_reference test_reference.c reference.c formula.c)
target_link_libraries(test_reference PRIVATE PkgConfig::MPFR)

target_include_directories(act_check PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
foreach(program checkact test_reference)
  target_sources(${program} PRIVATE $<TARGET_OBJECTS:act_check> $<TARGET_OBJECTS:act_test_data>)
  target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${program} PRIVATE actfn::actfn m)
endforeach()

add_test(NAME reference COMMAND test_reference)
set_tests_properties(reference PROPERTIES LABELS kernels)

foreach(isa IN LISTS ACT_ISA_NAMES)
  add_test(NAME checkact-${isa} COMMAND checkact --isa ${isa})
  set_tests_properties(checkact-${isa} PROPERTIES SKIP_RETURN_CODE 77 LABELS kernels)
endforeach()
