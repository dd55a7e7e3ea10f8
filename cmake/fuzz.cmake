# omendb_fuzz(name source folders...): a libFuzzer program from one x_fuzz.cc, the sources of the
# named folders of src/ and testing/, built by clang with its sanitizers whatever compiles the rest;
# registered as a CTest that runs for a bounded time. Silently absent where there is no clang.

find_program(FUZZ_CXX NAMES clang++-14 clang++)
set(OMENDB_FUZZ_SECONDS 8 CACHE STRING "How long each fuzz target runs as a test")

function(omendb_fuzz name source)
  if(NOT FUZZ_CXX OR NOT OMENDB_TESTS OR OMENDB_SANITIZE)
    return()
  endif()
  set(sources ${source})
  set(folders ${ARGN})
  list(TRANSFORM folders PREPEND src/)
  foreach(folder ${folders} testing)
    file(GLOB more CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cc
                                     ${CMAKE_SOURCE_DIR}/${folder}/*/*.cc)
    list(APPEND sources ${more})
  endforeach()
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")
  list(REMOVE_DUPLICATES sources)
  set(others ${sources})
  list(FILTER others INCLUDE REGEX "_fuzz\\.cc$")
  list(REMOVE_ITEM others ${source})
  if(others)
    list(REMOVE_ITEM sources ${others})
  endif()

  # One object for each source, shared by all fuzz targets.
  set(objects)
  foreach(file ${sources})
    file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR} ${file})
    set(object ${CMAKE_BINARY_DIR}/fuzz/${relative}.o)
    list(APPEND objects ${object})
    get_property(known GLOBAL PROPERTY OMENDB_FUZZ_OBJECTS)
    if(NOT object IN_LIST known)
      set_property(GLOBAL APPEND PROPERTY OMENDB_FUZZ_OBJECTS ${object})
      get_filename_component(folder ${object} DIRECTORY)
      add_custom_command(
        OUTPUT ${object}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
        COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${FUZZ_CXX} -std=c++20 -O1 -g1
                -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
                -I${CMAKE_SOURCE_DIR} -I${CMAKE_SOURCE_DIR}/src -I${CMAKE_SOURCE_DIR}/include
                -MMD -MF ${object}.d -MT ${object} -c ${file} -o ${object}
        DEPENDS ${file}
        DEPFILE ${object}.d
        VERBATIM)
    endif()
  endforeach()

  set(program ${CMAKE_BINARY_DIR}/fuzz/${name})
  set(corpus ${CMAKE_BINARY_DIR}/fuzz/${name}-corpus)
  add_custom_command(
    OUTPUT ${program}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${corpus}
    COMMAND ${FUZZ_CXX} -fsanitize=fuzzer,address,undefined ${objects} -o ${program}
            -lfmt -lcrypto -lre2 -lgmp -pthread
    DEPENDS ${objects}
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${program})
  # Half a GiB is far above what a decoder of short inputs may need.
  add_test(NAME ${name}
           COMMAND ${program} -max_total_time=${OMENDB_FUZZ_SECONDS} -seed=1 -max_len=4096
                   -rss_limit_mb=1024 -malloc_limit_mb=512 -print_final_stats=1
                   -artifact_prefix=${CMAKE_BINARY_DIR}/fuzz/${name}- ${corpus})
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()
