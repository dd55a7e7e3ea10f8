# One CMake library for each folder of src/, and one test program for each of its x_test.cc.

option(OMENDB_TESTS "Build the tests and benchmarks too" ON)
find_package(Threads REQUIRED)
if(OMENDB_TESTS)
  find_package(GTest REQUIRED)
endif()
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS context)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_library(RE2_LIBRARY NAMES re2 REQUIRED)
find_library(PG_QUERY_LIBRARY NAMES libpg_query.a REQUIRED)
add_library(pg_query STATIC IMPORTED)
set_target_properties(pg_query PROPERTIES IMPORTED_LOCATION ${PG_QUERY_LIBRARY})

# Relative paths and no working directory in ccache's keys: every build folder and clone shares one
# cache. The sloppiness is what precompiled headers need.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=true
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)
  endif()
endif()

option(OMENDB_WERROR "Warnings are errors" ON)
add_library(omendb_warnings INTERFACE)
target_compile_options(omendb_warnings INTERFACE -Wall -Wextra -Wno-missing-field-initializers
                       -Wshadow -Wnon-virtual-dtor
                       $<$<BOOL:${OMENDB_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these on std::string and std::optional code that is right.
  target_compile_options(omendb_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized
                         -Wno-stringop-overflow -Wno-array-bounds)
endif()

set(OMENDB_SANITIZE "" CACHE STRING "address,undefined or thread")
if(OMENDB_SANITIZE)
  add_compile_options(-fsanitize=${OMENDB_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${OMENDB_SANITIZE})
endif()

# In programs that serve, in the place of the C library's malloc; the sanitizers have their own.
set(OMENDB_MALLOC "")
if(NOT OMENDB_SANITIZE)
  find_library(JEMALLOC_LIBRARY NAMES jemalloc REQUIRED)
  set(OMENDB_MALLOC ${JEMALLOC_LIBRARY})
endif()

# omendb_library(folder DEPS other folders LIBS other targets)
function(omendb_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc
                                      ${CMAKE_SOURCE_DIR}/src/${name}/*/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(deps ${ARG_DEPS})
  list(TRANSFORM deps PREPEND omendb_)
  if(sources)
    add_library(omendb_${name} STATIC ${sources})
    target_include_directories(omendb_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src
                                                     ${CMAKE_SOURCE_DIR}/include)
    target_link_libraries(omendb_${name} PUBLIC ${deps} ${ARG_LIBS} fmt::fmt Threads::Threads
                          PRIVATE omendb_warnings)
  else()
    add_library(omendb_${name} INTERFACE)
    target_include_directories(omendb_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src
                                                        ${CMAKE_SOURCE_DIR}/include)
    target_link_libraries(omendb_${name} INTERFACE ${deps} ${ARG_LIBS} fmt::fmt Threads::Threads)
  endif()
  foreach(test ${tests})
    get_filename_component(test_name ${test} NAME_WE)
    omendb_test(${name}_${test_name} ${test} omendb_${name})
    if(OMENDB_TESTS AND NOT name MATCHES "^(duck|sql|api|server)$")
      set_property(TEST ${name}_${test_name} APPEND PROPERTY LABELS core)
      add_dependencies(core_tests ${name}_${test_name})
    endif()
  endforeach()
endfunction()

# Tests of the engine that run again with the keys of frozen rows out of the index, and with keys
# that leave it and come back in turn.
function(omendb_let_go_tests)
  foreach(test ${ARGN})
    foreach(mode let_go in_turn)
      add_test(NAME ${test}_${mode} COMMAND ${test})
      # Those tests count file calls, and the thread that moves keys makes some.
      set_tests_properties(
        ${test}_${mode}
        PROPERTIES TIMEOUT 300 LABELS "unit;core"
                   ENVIRONMENT
                   "OMENDB_TEST_LET_GO=${mode};GTEST_FILTER=-*AFailedFreeze*:*AFailedLoad*")
    endforeach()
  endforeach()
endfunction()

# The unit tests without DuckDB in the process: those run under the sanitizers, since DuckDB's
# library is not built with them.
add_custom_target(core_tests)

# omendb_test(name source libraries...): one GoogleTest program, registered as one CTest.
function(omendb_test name source)
  if(NOT OMENDB_TESTS)
    return()
  endif()
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${ARGN} omendb_testing omendb_warnings GTest::gtest_main
                        GTest::gmock)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()
