# act_isa(name features [flags...]): an ISA of the library.
#
#   name      kernels/isa/<name>.h and the suffix of its symbols
#   features  what the CPU must have: ALWAYS, or names of dispatch/cpu.h joined by |
#   flags     compiler options for its kernels, and for nothing else
#
# Each kind of kinds.inc is compiled once per element type into an object library of its own with
# these flags, kernels/half.c into a third, and a kind whose file has ACT_THETA once more per element
# type (theta32, theta64); the table is compiled without them. A file kernels/<name>/<kind>.c takes the place of
# kernels/<kind>.c in f32, which it includes, and adds kernels for fast mode (row <kind>_fast); so does
# kernels/<name>/f64/<kind>.c in f64. act_isa_finish() then writes isas.inc, the list of ISAs the C code
# reads, in the order of the calls. With ACTFN_ISAS the ISAs it does not name are left out, but for scalar.

set(ACT_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
set(ACT_ISA_PUBLIC scalar sse42 avx2 avx512 neon) # ids 0..4, actfn.h; further ones follow
set(ACT_ISA_NAMES "")
set(ACT_ISA_OBJECTS "")
set(act_isa_rows "")
set(act_isa_extra "")
set(act_isa_known "")
set(ACTFN_ISAS "" CACHE STRING "ISAs to build beside scalar, as sse42;avx2; empty: all")

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS include/actfn/kinds.inc)
file(STRINGS include/actfn/kinds.inc ACT_KINDS REGEX "^ACT_KIND\\(")
list(TRANSFORM ACT_KINDS REPLACE "^ACT_KIND\\([^,]*,[^,]*, *([a-z0-9_]+),.*" "\\1")

# What the build type says. A build with less than -O2 is to compile fast: softmax.c takes 6 s at -O1 and 21
# at -O3; with sanitizers cross_entropy.c takes 34 and 54.
string(TOUPPER "CMAKE_C_FLAGS_${CMAKE_BUILD_TYPE}" act_flags)
set(act_flags "${CMAKE_C_FLAGS} ${${act_flags}}")

# gcc leaves operations in the order of the source before registers are assigned. The vectors of a loop's turn
# (kernels/kernel.h) would then come one after the other, and a core that sees 60 operations ahead, as many as
# one vector may take, would wait for each. By these a kernel is 1.0 to 1.4 times as fast on a Zen 4, with the
# same results; clang does it by itself.
set(act_schedule "")
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND act_flags MATCHES "-O[23]")
  set(act_schedule -fschedule-insns -fsched-pressure)
endif()

# act_kind_files(folder files fast): the sources of an ISA, and the kinds that have a fast kernel in
# kernels/<folder>: <isa> for f32, <isa>/f64 for f64.
function(act_kind_files folder files fast)
  foreach(kind IN LISTS ACT_KINDS)
    if(EXISTS ${CMAKE_SOURCE_DIR}/kernels/${folder}/${kind}.c)
      list(APPEND paths ${CMAKE_SOURCE_DIR}/kernels/${folder}/${kind}.c)
      list(APPEND kinds ${kind})
    else()
      list(APPEND paths ${CMAKE_SOURCE_DIR}/kernels/${kind}.c)
    endif()
  endforeach()
  set(${files} ${paths} PARENT_SCOPE)
  set(${fast} ${kinds} PARENT_SCOPE)
endfunction()

# Kinds with learnable parameters: their files say so in a line ACT_THETA(...).
set(ACT_THETA_KINDS "")
foreach(kind IN LISTS ACT_KINDS)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS kernels/${kind}.c)
  file(STRINGS kernels/${kind}.c act_theta REGEX "^ACT_THETA\\(")
  if(act_theta)
    list(APPEND ACT_THETA_KINDS ${kind})
  endif()
endforeach()
list(TRANSFORM ACT_THETA_KINDS REPLACE "(.+)" "${CMAKE_SOURCE_DIR}/kernels/\\1.c"
     OUTPUT_VARIABLE ACT_THETA_FILES)

# Structured operations: kernels/<part>.c for each ACT_PART of dispatch/parts.inc, like the kinds.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS dispatch/parts.inc)
file(STRINGS dispatch/parts.inc ACT_PARTS REGEX "^ACT_PART\\(")
list(TRANSFORM ACT_PARTS REPLACE "^ACT_PART\\(([a-z0-9_]+)\\).*" "${CMAKE_SOURCE_DIR}/kernels/\\1.c")

# act_precompiled(library isa [flags...]): a library whose precompiled headers are the system headers that
# kernels/kernel.h and the ISA's header include: of a kernel's .45 s of compilation they take .25
# (immintrin.h). With gcc they serve every target of the same flags, whatever macros it defines that they do
# not look at.
# Not with a compiler launcher: ccache does not cache what is compiled with them.
function(act_precompiled library isa)
  string(REGEX MATCH "-O[0-9]" level "${ARGN}")
  set(name act_headers_${isa}${level})
  set(${library} "" PARENT_SCOPE)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL GNU OR CMAKE_C_COMPILER_LAUNCHER)
    return()
  endif()
  set(${library} ${name} PARENT_SCOPE)
  if(TARGET ${name})
    return()
  endif()
  foreach(file kernel.h isa/${isa}.h)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS kernels/${file})
    file(STRINGS kernels/${file} lines REGEX "^#include <.*>$")
    list(APPEND headers ${lines})
  endforeach()
  list(TRANSFORM headers REPLACE "^#include " "")
  list(REMOVE_DUPLICATES headers)
  file(CONFIGURE OUTPUT ${ACT_GENERATED_DIR}/headers.c CONTENT "typedef int act_nothing;\n")
  add_library(${name} OBJECT ${ACT_GENERATED_DIR}/headers.c)
  target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:SLEEF::sleef,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_options(${name} PRIVATE -fno-lto -fno-math-errno ${ARGN})
  target_precompile_headers(${name} PRIVATE ${headers})
endfunction()

# act_kernel_library(target isa f32|f64|half|theta32|theta64|part32|part64|test [flags...]): test is f32
# compiled for what ACT_TEST says. Kernels never go through link-time optimisation: it could move their code
# into baseline objects.
function(act_kernel_library target isa unit)
  string(REGEX MATCH "64$" is_f64 "${unit}")
  if(unit STREQUAL f64)
    act_kind_files(${isa}/f64 files fast)
  elseif(unit MATCHES "f32|test")
    act_kind_files(${isa} files fast)
  elseif(unit STREQUAL half)
    set(files ${CMAKE_SOURCE_DIR}/kernels/half.c)
  elseif(unit MATCHES theta)
    set(files ${ACT_THETA_FILES})
  else()
    set(files ${ACT_PARTS})
  endif()
  if(unit MATCHES "half|part" AND act_flags MATCHES "-O[23]")
    list(APPEND ARGN -O3) # plain loops become vector code
  endif()
  if(NOT unit STREQUAL half) # whose look-ups, 16 loads in a row, it slows down by a tenth
    list(APPEND ARGN ${act_schedule})
  endif()
  add_library(${target} OBJECT ${files})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include
                             $<TARGET_PROPERTY:SLEEF::sleef,INTERFACE_INCLUDE_DIRECTORIES>)
  string(COMPARE EQUAL ${isa} scalar is_scalar)
  string(COMPARE EQUAL ${unit} test is_test)
  target_compile_definitions(${target} PRIVATE ACT_ISA_NAME=${isa} ACT_UNIT_F64=$<BOOL:${is_f64}>
    ACT_ISA_HEADER="kernels/isa/${isa}.h" ACT_ISA_IS_SCALAR=$<BOOL:${is_scalar}>
    ACT_SLEEF_SSE4=$<BOOL:${SLEEF_HAS_SSE4}> ACT_TEST_DATA=$<BOOL:${is_test}>)
  if(unit MATCHES theta)
    target_compile_definitions(${target} PRIVATE ACT_UNIT_THETA=1)
  endif()
  target_compile_options(${target} PRIVATE -fno-lto -fno-math-errno ${ARGN})
  act_precompiled(headers ${isa} ${ARGN})
  if(headers)
    target_precompile_headers(${target} REUSE_FROM ${headers})
  endif()
endfunction()

# One ISA that is built.
macro(act_isa_build name features)
  foreach(act_unit f32 f64 half theta32 theta64 part32 part64)
    act_kernel_library(actk_${name}_${act_unit} ${name} ${act_unit} ${ARGN})
    list(APPEND ACT_ISA_OBJECTS $<TARGET_OBJECTS:actk_${name}_${act_unit}>)
  endforeach()

  add_library(act_table_${name} OBJECT dispatch/table.c)
  target_include_directories(act_table_${name} PRIVATE ${CMAKE_SOURCE_DIR}
                             ${CMAKE_SOURCE_DIR}/include)
  act_kind_files(${name} act_files act_fast)
  list(TRANSFORM act_fast REPLACE "(.+)" "ACT_FAST_\\1=_,_fast" OUTPUT_VARIABLE act_fast)
  act_kind_files(${name}/f64 act_files act_fast64)
  list(TRANSFORM act_fast64 REPLACE "(.+)" "ACT_FAST64_\\1=_,_fast" OUTPUT_VARIABLE act_fast64)
  list(TRANSFORM ACT_THETA_KINDS REPLACE "(.+)" "ACT_THETA_\\1=_,THETA_ROW" OUTPUT_VARIABLE act_theta)
  target_compile_definitions(act_table_${name} PRIVATE ACT_ISA_NAME=${name} ${act_fast}
                             ${act_fast64} ${act_theta})
  list(APPEND ACT_ISA_OBJECTS $<TARGET_OBJECTS:act_table_${name}>)

  list(FIND ACT_ISA_PUBLIC ${name} act_id)
  if(act_id LESS 0)
    list(LENGTH act_isa_extra act_extra)
    math(EXPR act_id "5 + ${act_extra}")
    list(APPEND act_isa_extra "ACT_ISA_EXTRA(${act_id}, ${name})")
  endif()
  string(REPLACE "|" " | ACT_CPU_" act_needs "ACT_CPU_${features}")
  list(APPEND act_isa_rows "ACT_ISA(${act_id}, ${name}, (${act_needs}))")
  list(APPEND ACT_ISA_NAMES ${name})
endmacro()

macro(act_isa name features)
  list(APPEND act_isa_known ${name})
  if("${name}" STREQUAL scalar OR "${ACTFN_ISAS}" STREQUAL "" OR "${name}" IN_LIST ACTFN_ISAS)
    act_isa_build(${name} "${features}" ${ARGN})
  endif()
endmacro()

macro(act_isa_finish)
  foreach(act_name IN LISTS ACTFN_ISAS)
    if(NOT act_name IN_LIST act_isa_known)
      message(FATAL_ERROR "ACTFN_ISAS: there is no ISA ${act_name} here, only ${act_isa_known}")
    endif()
  endforeach()
  list(JOIN act_isa_rows "\n" act_isa_rows)
  list(JOIN act_isa_extra "\n" act_isa_extra)
  file(CONFIGURE OUTPUT ${ACT_GENERATED_DIR}/isas.inc @ONLY CONTENT
"/* Written by cmake/ActIsa.cmake. ACT_ISA(id, name, CPU features needed), the best last. */
#ifdef ACT_ISA
@act_isa_rows@
#endif
#ifdef ACT_ISA_EXTRA /* ids the public enum does not name */
@act_isa_extra@
#endif
")
endmacro()
