# checkact: every ISA x kind against the double reference. test_reference: that against MPFR.
act_kernel_library(act_test_data scalar 0 -DACT_TEST_DATA=1)

add_executable(checkact checkact.c check_inputs.c check_accuracy.c check_memory.c check_sweep.c
               $<TARGET_OBJECTS:act_test_data>)
target_include_directories(checkact PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(checkact PRIVATE actfn::actfn m)

foreach(isa IN LISTS ACT_ISA_NAMES)
  add_test(NAME checkact-${isa} COMMAND checkact --isa ${isa})
  set_tests_properties(checkact-${isa} PROPERTIES SKIP_RETURN_CODE 77 LABELS kernels)
endforeach()
