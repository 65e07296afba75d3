#!/usr/bin/env bash
# Runs every fuzzer of a build for a while; stops at the first finding.
#
#   scripts/fuzz.sh BUILD_DIR SECONDS_EACH
#
# A fuzzer starts from fuzz/corpus/<name>/ when there is one; what it finds new stays in the build.
set -euo pipefail

build=$1
seconds=$2
here=$(dirname "$(readlink -f "$0")")/..

mapfile -t fuzzers < <(find "$build" -name '*_fuzz' -type f -executable | sort)
[ ${#fuzzers[@]} -gt 0 ] || { echo "fuzz: no fuzzers in $build" >&2; exit 1; }
for fuzzer in "${fuzzers[@]}"; do
  name=$(basename "$fuzzer")
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  seeds=()
  [ ! -d "$here/fuzz/corpus/$name" ] || seeds=("$here/fuzz/corpus/$name")
  echo "fuzz: $name for $seconds s"
  "$fuzzer" -max_total_time="$seconds" -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/$name-" "$corpus" "${seeds[@]}" 2>"$build/$name.log" || {
    tail -n 40 "$build/$name.log" >&2
    echo "fuzz: $name found something; the input is beside $build/$name.log" >&2
    exit 1
  }
  grep -E 'stat::(number_of_executed_units|average_exec_per_sec)' "$build/$name.log" | sed 's/^/  /'
done
echo "fuzz: ${#fuzzers[@]} fuzzers, no findings"
