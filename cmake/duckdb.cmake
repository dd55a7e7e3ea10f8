# DuckDB from npm: headers from the package `duckdb`, the library from `@duckdb/node-bindings-*`.
# Both are of one version, pinned in third_party/npm/package.json. SYSTEM: no warnings of its.

set(NPM_MODULES ${CMAKE_SOURCE_DIR}/third_party/npm/node_modules)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(DUCKDB_LIB_DIR ${NPM_MODULES}/@duckdb/node-bindings-linux-arm64)
else()
  set(DUCKDB_LIB_DIR ${NPM_MODULES}/@duckdb/node-bindings-linux-x64)
endif()
set(DUCKDB_SRC ${NPM_MODULES}/duckdb/src/duckdb)
if(NOT EXISTS ${DUCKDB_LIB_DIR}/libduckdb.so OR NOT EXISTS ${DUCKDB_SRC}/src/include/duckdb.hpp)
  message(FATAL_ERROR "DuckDB is missing: run `make deps` (npm ci in third_party/npm)")
endif()

add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES IMPORTED_LOCATION ${DUCKDB_LIB_DIR}/libduckdb.so
                                        IMPORTED_NO_SONAME OFF IMPORTED_SONAME libduckdb.so)
set(duckdb_includes ${DUCKDB_SRC}/src/include)
foreach(dir fsst fmt/include hyperloglog fastpforlib skiplist fast_float re2 miniz utf8proc/include
            concurrentqueue pcg tdigest mbedtls/include jaro_winkler yyjson/include zstd/include)
  list(APPEND duckdb_includes ${DUCKDB_SRC}/third_party/${dir})
endforeach()

# Only src/duck includes DuckDB: the include folders stay private to it, and a precompiled header
# pays the six seconds of duckdb.hpp once.
function(omendb_use_duckdb_headers target)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_include_directories(${target} SYSTEM PRIVATE ${duckdb_includes})
    target_precompile_headers(${target} PRIVATE ${CMAKE_SOURCE_DIR}/src/duck/pch.h)
  endif()
endfunction()
