#!/usr/bin/env bash
# Runs every fuzzer of a build for a while, as many at once as there are cores, or JOBS.
#
#   scripts/fuzz.sh BUILD_DIR SECONDS_EACH
#
# A fuzzer knows the words of its format from fuzz/<name>.dict; what it finds stays in the build, and
# the next run starts from there.
set -euo pipefail

build=$1
seconds=$2
here=$(dirname "$(readlink -f "$0")")/..

run_one() {
  local fuzzer=$1 name corpus
  name=$(basename "$fuzzer")
  corpus=$build/corpus/$name
  mkdir -p "$corpus"
  "$fuzzer" -max_total_time="$seconds" -rss_limit_mb=2048 -print_final_stats=1 \
    -use_value_profile=1 -dict="$here/fuzz/${name%_fuzz}.dict" -artifact_prefix="$build/$name-" \
    "$corpus" 2>"$build/$name.log" || {
    tail -n 40 "$build/$name.log" >&2
    echo "fuzz: $name found something; the input is beside $build/$name.log" >&2
    return 1
  }
  echo "fuzz: $name for $seconds s:" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log") inputs, no finding"
}
export -f run_one
export build seconds here

mapfile -t fuzzers < <(find "$build" -maxdepth 1 -name '*_fuzz' -type f -executable | sort)
[ ${#fuzzers[@]} -gt 0 ] || { echo "fuzz: no fuzzers in $build" >&2; exit 1; }
printf '%s\n' "${fuzzers[@]}" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'run_one {}'
