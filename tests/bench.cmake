# act-bench's own tests, where it is built.
if(TARGET act-bench)
  add_test(NAME bench COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/test_bench.sh $<TARGET_FILE:act-bench>)
  set_tests_properties(bench PROPERTIES SKIP_RETURN_CODE 77 LABELS api)
endif()
