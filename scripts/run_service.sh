#!/usr/bin/env bash
# Starts the service, transcribes a recording through it as a client of OpenAI's audio API would, and
# stays up until it is interrupted: what `make run` ends with. LETHE_ADDRESS says where to listen.
set -euo pipefail

lethe=$1
address=${LETHE_ADDRESS:-127.0.0.1:8089}
folder=/usr/share/pocketsphinx/test/data/librivox
recording=$folder/sense_and_sensibility_01_austen_64kb-0870.wav
[ -r "$recording" ] || {
  echo "run: no recordings in $folder: install pocketsphinx-testdata" >&2
  exit 1
}

# What the service prints is shown as it comes; the first start's keys are among it.
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
mkfifo "$log/out"
"$lethe" serve --listen "$address" >"$log/out" &
service=$!
trap 'kill "$service" 2>/dev/null; wait "$service" || true; rm -rf "$log"' EXIT
trap 'exit 0' INT TERM
exec 3<"$log/out"
url=
while IFS= read -r line <&3; do
  echo "$line"
  [[ $line == "listening on "* ]] && url=${line#listening on } && break
done
if [ -z "$url" ]; then
  wait "$service" || true
  echo "run: the service did not start; LETHE_ADDRESS=127.0.0.1:PORT make run takes another port" >&2
  exit 1
fi

# A key for this once: those of the first start are shown once, and this may be the hundredth.
app=$("$lethe" apps list | awk '$1 ~ /^[0-9]+$/ { print $1; exit }')
made=$("$lethe" keys create --app "$app" --bearer)
field() { awk -v name="$1" '$1 == name { print $2 }' <<<"$made"; }
echo
echo "curl $url/v1/audio/transcriptions -H 'Authorization: Bearer \$KEY' -F model=whisper-1 \\"
echo "  -F file=@$recording"
start=${EPOCHREALTIME//[.,]/}
# The key goes in by standard input: a command line can be read by everybody on the machine.
answer=$(curl --silent --show-error --fail-with-body --config - "$url/v1/audio/transcriptions" \
  -F model=whisper-1 -F response_format=text -F "file=@$recording" \
  <<<"header = \"Authorization: Bearer $(field Bearer)\"") || {
  echo "run: the service answered: $answer" >&2
  exit 1
}
took=$((${EPOCHREALTIME//[.,]/} - start))
"$lethe" keys remove "$(field Key)" >/dev/null
# 16 kHz mono 16-bit after 44 bytes of header: 32 bytes a millisecond.
length=$((($(stat -c %s "$recording") - 44) / 32))
echo
echo "  read aloud: $(sed -n "s#^<s> \(.*\) </s> ($(basename "$recording" .wav))\$#\1#p" "$folder/transcription")"
echo "  heard:      $answer"
awk -v audio="$length" -v wall="$took" 'BEGIN {
  printf "\n%.1f s of audio in %.3f s: real-time factor %.4f\n", audio / 1e3, wall / 1e6, wall / audio / 1e3
}'
echo "The console: $url/console/ (its password was printed at the first start; lethe keys password sets another)"
echo "The service stays up; Ctrl-C stops it."
wait "$service"
