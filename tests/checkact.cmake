# checkact: every ISA x kind against the double reference. test_reference: that against MPFR.
# test_half: bf16 and f16.
# act-verify: every float, and the audit of its reference. act-verify-f64: samples of f64.
# act-verify-half: all pairs (x, g) of the 16-bit derivatives. act-hash: the bits of every table.
act_kernel_library(act_test_data scalar test)

add_library(act_check OBJECT check_call.c check_inputs.c)
add_executable(checkact checkact.c check_accuracy.c check_memory.c)

find_package(PkgConfig REQUIRED)
pkg_check_modules(MPFR REQUIRED IMPORTED_TARGET mpfr)
add_executable(test_reference test_reference.c reference.c formula.c)
add_executable(test_half test_half.c reference.c formula.c)
add_executable(act-verify act-verify.c verify_audit.c verify_judge.c verify_plan.c verify_report.c
               verify_run.c verify_slice.c verify_state.c reference.c formula.c)
add_executable(act-verify-f64 verify_f64.c verify_f64_inputs.c oracle.c oracle_long.c oracle_quad.c
               reference.c formula.c)
add_executable(act-verify-half verify_half.c)
set_source_files_properties(act-hash.c oracle_long.c oracle_quad.c verify_f64.c verify_half.c verify_judge.c PROPERTIES COMPILE_OPTIONS -O3)
target_compile_definitions(act-verify PRIVATE
                           ACT_OBJECT_LIST="${CMAKE_CURRENT_BINARY_DIR}/objects.txt")
add_executable(act-hash act-hash.c)
foreach(subject kinds norm pieces softmax)
  add_executable(test_mpfr_${subject} test_mpfr_${subject}.c)
  target_include_directories(test_mpfr_${subject} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(test_mpfr_${subject} PRIVATE actfn::actfn PkgConfig::MPFR m)
  act_test(mpfr_${subject} kernels test_mpfr_${subject})
endforeach()
target_sources(test_mpfr_kinds PRIVATE formula.c)
target_link_libraries(test_reference PRIVATE PkgConfig::MPFR)
target_link_libraries(test_half PRIVATE PkgConfig::MPFR)
target_link_libraries(act-verify PRIVATE PkgConfig::MPFR)
target_link_libraries(act-verify-f64 PRIVATE PkgConfig::MPFR)

target_include_directories(act_check PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
foreach(program checkact test_reference test_half act-verify act-verify-f64 act-verify-half act-hash)
  target_sources(${program} PRIVATE $<TARGET_OBJECTS:act_check> $<TARGET_OBJECTS:act_test_data>)
  target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${program} PRIVATE actfn::actfn m)
endforeach()

add_test(NAME half COMMAND test_half)
set_tests_properties(half PROPERTIES LABELS kernels TIMEOUT 900 ENVIRONMENT ACTFN_GATHER=0)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_test(NAME half_gather COMMAND test_half)
  set_tests_properties(half_gather PROPERTIES LABELS kernels TIMEOUT 900 ENVIRONMENT ACTFN_GATHER=1)
endif()
add_test(NAME reference COMMAND test_reference)
set_tests_properties(reference PROPERTIES LABELS kernels)

foreach(isa IN LISTS ACT_ISA_NAMES)
  add_test(NAME checkact-${isa} COMMAND checkact --isa ${isa})
  set_tests_properties(checkact-${isa} PROPERTIES SKIP_RETURN_CODE 77 LABELS kernels)
endforeach()

act_test(verify_f64 kernels act-verify-f64 --points 1024 --seed 7)
foreach(type bf16 f16) # 2^24 pairs of each kind and table
  act_test(verify_${type} kernels act-verify-half --dtype ${type} --slices 1)
endforeach()

act_test(hash kernels act-hash --step 16384 --jobs 2 --check ${CMAKE_CURRENT_SOURCE_DIR}/hashes.txt)

if(NOT CMAKE_CROSSCOMPILING AND NOT sanitized)
  add_library(wrong MODULE wrong.c)
  target_include_directories(wrong PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(wrong PRIVATE ${CMAKE_DL_LIBS})
  set_target_properties(wrong PROPERTIES C_VISIBILITY_PRESET default)
  act_test(verify kernels sh ${CMAKE_CURRENT_SOURCE_DIR}/verify.sh $<TARGET_FILE:act-verify>
           ${CMAKE_CURRENT_BINARY_DIR}/objects.txt $<TARGET_FILE:wrong>)
endif()
