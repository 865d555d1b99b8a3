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
# reads, in the order of the calls.

set(ACT_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
set(ACT_ISA_PUBLIC scalar sse42 avx2 avx512 neon) # ids 0..4, actfn.h; further ones follow
set(ACT_ISA_NAMES "")
set(ACT_ISA_OBJECTS "")
set(act_isa_rows "")
set(act_isa_extra "")

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS include/actfn/kinds.inc)
file(STRINGS include/actfn/kinds.inc ACT_KINDS REGEX "^ACT_KIND\\(")
list(TRANSFORM ACT_KINDS REPLACE "^ACT_KIND\\([^,]*,[^,]*, *([a-z0-9_]+),.*" "\\1")

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

# act_kernel_library(target isa f32|f64|half|theta32|theta64|part32|part64 [flags...]). Kernels never go through
# link-time optimisation: it could move their code into baseline objects.
function(act_kernel_library target isa unit)
  string(REGEX MATCH "64$" is_f64 "${unit}")
  if(unit STREQUAL f64)
    act_kind_files(${isa}/f64 files fast)
  elseif(unit STREQUAL f32)
    act_kind_files(${isa} files fast)
  elseif(unit STREQUAL half)
    set(files ${CMAKE_SOURCE_DIR}/kernels/half.c)
  elseif(unit MATCHES theta)
    set(files ${ACT_THETA_FILES})
    list(APPEND ARGN -DACT_UNIT_THETA=1)
  else()
    set(files ${ACT_PARTS})
  endif()
  if(unit MATCHES "half|part")
    list(APPEND ARGN -O3) # plain loops become vector code
  endif()
  add_library(${target} OBJECT ${files})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include
                             $<TARGET_PROPERTY:SLEEF::sleef,INTERFACE_INCLUDE_DIRECTORIES>)
  string(COMPARE EQUAL ${isa} scalar is_scalar)
  target_compile_definitions(${target} PRIVATE ACT_ISA_NAME=${isa} ACT_UNIT_F64=$<BOOL:${is_f64}>
    ACT_ISA_HEADER="kernels/isa/${isa}.h" ACT_ISA_IS_SCALAR=$<BOOL:${is_scalar}>
    ACT_SLEEF_SSE4=$<BOOL:${SLEEF_HAS_SSE4}>)
  target_compile_options(${target} PRIVATE -fno-lto -fno-math-errno ${ARGN})
endfunction()

macro(act_isa name features)
  foreach(act_unit f32 f64 half theta32 theta64 part32 part64)
    act_kernel_library(actk_${name}_${act_unit} ${name} ${act_unit} ${ARGN} -DACT_TEST_DATA=0)
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

macro(act_isa_finish)
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
