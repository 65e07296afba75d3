#!/usr/bin/env bash
# Transcribes the LibriVox sentences of Debian's pocketsphinx-testdata and shows them beside what
# was read: `make sample`.
set -euo pipefail

lethe=$1
folder=/usr/share/pocketsphinx/test/data/librivox
[ -r "$folder/transcription" ] || {
  echo "run: no recordings in $folder: install pocketsphinx-testdata" >&2
  exit 1
}

audio_us=0
wall_us=0
for file in "$folder"/*.wav; do
  name=$(basename "$file" .wav)
  # 16 kHz mono 16-bit after 44 bytes of header: 32 bytes a millisecond.
  length_us=$((($(stat -c %s "$file") - 44) * 1000 / 32))
  start=${EPOCHREALTIME//[.,]/}
  heard=$("$lethe" transcribe "$file")
  wall_us=$((wall_us + ${EPOCHREALTIME//[.,]/} - start))
  audio_us=$((audio_us + length_us))
  read_aloud=$(sed -n "s#^<s> \(.*\) </s> ($name)\$#\1#p" "$folder/transcription")
  printf '%s.wav  %d.%d s\n  read aloud: %s\n  heard:      %s\n' "$name" \
    $((length_us / 1000000)) $((length_us / 100000 % 10)) "$read_aloud" "$heard"
done

awk -v audio="$audio_us" -v wall="$wall_us" 'BEGIN {
  printf "\n%.1f s of audio in %.2f s: real-time factor %.3f", audio / 1e6, wall / 1e6, wall / audio
  print " (lower is better; whole program, start and model loading included, once a file)"
}'
