#!/usr/bin/env bash
# Puts the programs of Debian's package prometheus into tests/prometheus/, where the tests of the
# alerts look for them; may be repeated. The package is unpacked, not installed: installing it would
# start a Prometheus on this machine.
#
# LETHE_SKIP_SETUP=1: they are provided in another way, or the tests of the alerts are to be skipped.
set -euo pipefail

cd "$(dirname "$(readlink -f "$0")")/.."
folder=tests/prometheus

[ "${LETHE_SKIP_SETUP:-}" != 1 ] || exit 0
[ ! -x $folder/usr/bin/promtool ] || exit 0

fetched=$(mktemp -d)
trap 'rm -rf "$fetched"' EXIT
download() { (cd "$fetched" && apt-get -q -y download prometheus) >"$fetched/log" 2>&1; }
# Lists of packages that are too old name versions that are gone; only root may fetch new ones.
download || { [ "$(id -u)" -ne 0 ] || apt-get -q -y update >/dev/null 2>&1; download; } || {
  tail -n 20 "$fetched/log" >&2
  echo "setup: Debian's package prometheus was not got; mend what is said above (apt-get update?)" >&2
  exit 1
}
rm -rf $folder
mkdir -p $folder
dpkg-deb --fsys-tarfile "$fetched"/prometheus_*.deb | tar -x -C $folder ./usr/bin
