#!/usr/bin/env bash
# Every benchmark of docs/benchmarks.md, one after the other, on the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
build/release/bench/bench_index --quick
build/release/bench/inprocess/bench_inprocess
for comparison in pgbench copy restart joins freeze_stall mixed; do
  /usr/bin/python3 "bench/compare/$comparison.py"
done
