# Every command a developer needs; `make` alone lists them. Each installs what it lacks.
.DEFAULT_GOAL := help
.PHONY: help deps build run test lint format asan tsan bench bench-index bench-olap clean

SETUP = @tools/setup.sh
CTEST = ctest --output-on-failure --no-tests=error $(CTEST_ARGS)
# Debian's Python, whose modules the driver tests use, whatever else stands in PATH.
PYTHON = /usr/bin/python3
# Address space randomisation of recent kernels collides with ThreadSanitizer's shadow memory.
NO_ASLR = setarch $(shell uname -m) -R

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

deps: ## install what is missing (Debian packages, npm packages)
	$(SETUP) test

build: ## build the release binary, build/release/omendb
	$(SETUP) build
	@cmake --preset release-server >/dev/null
	cmake --build build/release --target omendb

run: build ## start the server on 5433 (HTTP 8080) with ./data
	@echo 'connect with: psql -h 127.0.0.1 -p 5433 -U omendb omendb'
	@exec build/release/omendb serve --data-dir data --port 5433 --http-port 8080

test: ## build with assertions and run every test: unit, SQL, drivers, crash
	$(SETUP) test
	@cmake --preset dev >/dev/null
	cmake --build build/dev
	cd build/dev && $(CTEST) -j2

lint: ## check layers, banned names, formatting, lock discipline
	$(SETUP) test
	$(PYTHON) tools/tidy.py
	$(PYTHON) tools/lint.py

format: ## format every C++ file
	@git ls-files -co --exclude-standard '*.cc' '*.h' | xargs clang-format-14 -i

asan: ## unit tests under AddressSanitizer and UBSan
	$(SETUP) test
	@cmake --preset asan >/dev/null
	cmake --build build/asan --target core_tests
	cd build/asan && $(CTEST) -j2 -L core

tsan: ## unit tests under ThreadSanitizer
	$(SETUP) test
	@cmake --preset tsan >/dev/null
	cmake --build build/tsan --target core_tests
	cd build/tsan && $(NO_ASLR) $(CTEST) -j2 -L core

bench: ## every benchmark of docs/benchmarks.md, with its peers
	$(SETUP) bench
	@cmake --preset release >/dev/null
	cmake --build build/release
	bench/run.sh

bench-index: ## the learned index against its peers
	$(SETUP) bench
	@cmake --preset release >/dev/null
	cmake --build build/release --target bench_index
	build/release/bench/bench_index

bench-olap: ## analytics beside DuckDB and PostgreSQL
	$(SETUP) bench
	@cmake --preset release >/dev/null
	cmake --build build/release --target omendb bench_olap_generate bench_olap_duckdb
	for suite in tpch hits series; do /usr/bin/python3 bench/compare/olap.py $$suite || exit 1; done

clean: ## remove the build folders
	rm -rf build
