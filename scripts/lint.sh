#!/usr/bin/env bash
# Formatter, layers and clang-tidy.
#
#   scripts/lint.sh BUILD_DIR [--changed]
#
# --changed gives clang-tidy only the sources that differ from the branch this one started from.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
build=$1
scope=${2:-}

mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.h' '*.cc' |
  while read -r file; do [ ! -e "$file" ] || echo "$file"; done)
clang-format --dry-run -Werror "${sources[@]}"
echo "lint: format of ${#sources[@]} files is right"

python3 tests/layering.py
python3 tests/layering.py --self-test

if [ "$scope" = --changed ]; then
  base=$(git merge-base HEAD origin/HEAD 2>/dev/null || git rev-parse HEAD)
  mapfile -t units < <({
    git diff --name-only "$base" -- '*.cc'
    git ls-files --others --exclude-standard '*.cc'
  } | sort -u | while read -r file; do [ ! -e "$file" ] || echo "$file"; done)
else
  mapfile -t units < <(printf '%s\n' "${sources[@]}" | grep '\.cc$')
fi
# Only what is compiled here has a command line: fuzzers, say, are built by clang in another folder.
mapfile -t units < <(printf '%s\n' "${units[@]}" | while read -r file; do
  [ -z "$file" ] || ! grep -qF "/$file\"" "$build/compile_commands.json" || echo "$file"
done)
[ ${#units[@]} -gt 0 ] || exit 0
echo "lint: clang-tidy on ${#units[@]} sources"
# Without gcc's precompiled headers, which clang cannot read: so what a source forgot to include is found.
mkdir -p "$build/lint"
sed -E 's/ -Winvalid-pch -include [^ ]*cmake_pch\.hxx//' "$build/compile_commands.json" \
  >"$build/lint/compile_commands.json"
# That nothing is touched without its lock means something only if it would be noticed.
cat >"$build/lint/unlocked.cc" <<'END'
#include "base/mutex.h"

class Counter {
 public:
  int count() const { return count_; }

 private:
  lethe::Mutex mutex_;
  int count_ GUARDED_BY(mutex_) = 0;
};
END
found=$(clang-tidy --quiet --config-file=.clang-tidy "$build/lint/unlocked.cc" -- \
  -std=c++20 -Isrc -Wthread-safety 2>&1) || true
if [[ $found != *thread-safety-analysis* ]]; then
  echo "lint: clang-tidy does not notice what is read without its lock: $found" >&2
  exit 1
fi
# gcc's own flags mean nothing to clang.
printf '%s\n' "${units[@]}" |
  xargs -P "$(nproc)" -n 1 clang-tidy --quiet -p "$build/lint" --extra-arg=-Wno-unknown-warning-option \
    --extra-arg=-Wthread-safety \
    2> >(grep -v -E 'warnings? (generated|treated)|^Suppressed|^Use -header' >&2)
echo "lint: clean"
