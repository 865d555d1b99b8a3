# act-bench's own tests, where it is built.
if(TARGET act-bench)
  set(test_bound "")
  if(NOT sanitized AND NOT ACTFN_SANITIZED) # their runtime has to be loaded first
    add_library(bench_test_bound MODULE ${CMAKE_SOURCE_DIR}/bench/test_bound.c)
    target_compile_definitions(bench_test_bound PRIVATE _GNU_SOURCE) # RTLD_NEXT
    target_link_libraries(bench_test_bound PRIVATE ${CMAKE_DL_LIBS})
    target_include_directories(bench_test_bound PRIVATE ${CMAKE_SOURCE_DIR}/include)
    set(test_bound $<TARGET_FILE:bench_test_bound>)
  endif()
  add_test(NAME bench COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/test_bench.sh
           $<TARGET_FILE:act-bench> ${CMAKE_SOURCE_DIR}/include/actfn/kinds.inc ${test_bound})
  set_tests_properties(bench PROPERTIES SKIP_RETURN_CODE 77 LABELS api TIMEOUT 900)
endif()
