# One function for each kind of target. What every target shares is said here once.

find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(lethe_flags INTERFACE)
target_compile_options(lethe_flags INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wunused -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi
  # Options are given by name, {.beam_size = 5}; the fields left out have their defaults.
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  -fno-math-errno
  # A fused multiply-add where the source has none would make two builds of one kernel disagree in
  # the last bit; kernels ask for it by name.
  -ffp-contract=off)
target_compile_definitions(lethe_flags INTERFACE LETHE_VERSION="${PROJECT_VERSION}")
target_include_directories(lethe_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(lethe_flags INTERFACE Threads::Threads)
if(LETHE_SANITIZE)
  target_compile_options(lethe_flags INTERFACE -fsanitize=${LETHE_SANITIZE} -fno-omit-frame-pointer
                                               -fno-sanitize-recover=all)
  target_link_options(lethe_flags INTERFACE -fsanitize=${LETHE_SANITIZE})
endif()
if(LETHE_FUZZERS)
  # Coverage in all of the code, or the fuzzers would be blind.
  target_compile_options(lethe_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_definitions(lethe_flags INTERFACE _GLIBCXX_ASSERTIONS)
endif()

include(compile_time)

# lethe_module(engine FACE engine.h DEPS base model LIBS PkgConfig::X SYSTEM ...)
#
# Makes the library lethe_engine out of every .cc of the folder (tests and fuzzers apart). FACE names
# the headers that others may include; DEPS the modules it may include; LIBS outside libraries;
# PRECOMPILED what most of its sources read of those.
function(lethe_module name)
  cmake_parse_arguments(M "" "" "FACE;DEPS;LIBS;PRECOMPILED" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(lethe_${name} STATIC ${sources})
  set(deps)
  foreach(dep IN LISTS M_DEPS)
    list(APPEND deps lethe_${dep})
  endforeach()
  target_link_libraries(lethe_${name} PUBLIC lethe_flags ${deps} ${M_LIBS})
  lethe_precompile(lethe_${name} ${M_PRECOMPILED})
  set_property(GLOBAL APPEND PROPERTY LETHE_MODULES ${name})
  set_property(GLOBAL PROPERTY LETHE_FACE_${name} ${M_FACE})
  set_property(GLOBAL PROPERTY LETHE_DEPS_${name} ${M_DEPS})
endfunction()

# lethe_kernel(avx2 FLAGS -mavx2 -mfma): the folder's sources for one instruction set, and only they,
# are compiled for it; they become part of lethe_kernels.
function(lethe_kernel isa)
  cmake_parse_arguments(K "" "" "FLAGS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${isa}/*.cc)
  # Precompiled headers would bring it inline functions, compiled for a CPU that others have not.
  set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "${K_FLAGS}"
                                                    SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# lethe_test(engine): one test program out of the folder's *_test.cc, run by CTest case by case; the
# cases whose names have a word of TOGETHER in them are one run for each word, because they share
# something that takes a while to begin.
function(lethe_test name)
  cmake_parse_arguments(T "" "" "TOGETHER;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name}_test PRIVATE lethe_${name} ${T_LIBS} GTest::gmock_main)
  target_compile_definitions(${name}_test PRIVATE LETHE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  lethe_compile_test(${name}_test)
  foreach(word IN LISTS T_TOGETHER)
    list(APPEND filters "*${word}*")
    add_test(NAME ${name}.${word} COMMAND ${name}_test --gtest_filter=*${word}*)
    set_tests_properties(${name}.${word} PROPERTIES TIMEOUT 600
      ENVIRONMENT LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/leaks.txt)
  endforeach()
  if(T_TOGETHER)
    list(JOIN filters ":" filters)
    set(apart TEST_FILTER "-${filters}")
  endif()
  gtest_discover_tests(${name}_test ${apart} DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 600)
endfunction()

include(GoogleTest)
