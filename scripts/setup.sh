#!/usr/bin/env bash
# Installs the Debian packages of a list that are not installed yet; asks nothing, may be repeated.
#
#   scripts/setup.sh [LIST...]     default: scripts/packages.txt
#
# LETHE_SKIP_SETUP=1 leaves the machine alone: for those who provide the packages in another way.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
lists=("$@")
[ ${#lists[@]} -gt 0 ] || lists=("$here/packages.txt")

fail() {
  echo "setup: $*" >&2
  exit 1
}

if [ "${LETHE_SKIP_SETUP:-}" = 1 ]; then
  echo "setup: skipped (LETHE_SKIP_SETUP=1)"
  exit 0
fi

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
  fail "this is no Debian system; install what ${lists[*]} names, then set LETHE_SKIP_SETUP=1"

missing=()
while read -r first name package; do
  case $first in
    '' | '#'*) ;;
    command) command -v "$name" >/dev/null || missing+=("$package") ;;
    *) is_installed "$first" || missing+=("$first") ;;
  esac
done < <(cat "${lists[@]}")

if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: every Debian package is there"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null ||
    fail "needs root to install: ${missing[*]}; run it as root, or install sudo"
  # With nobody to type a password sudo must not wait for one.
  as_root=(sudo)
  [ -t 0 ] || as_root=(sudo -n)
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "apt-get $1 failed; mend what it says above and run this again; wanted: ${missing[*]}"
  }
}

echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
[ ${#as_root[@]} -eq 0 ] || "${as_root[@]}" true ||
  fail "sudo refused; run as root: apt-get install ${missing[*]}"
apt update
apt install --no-install-recommends "${missing[@]}"
echo "setup: done"
