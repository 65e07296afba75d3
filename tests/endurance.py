#!/usr/bin/env python3
"""What takes too long for every test run: ten minutes of nothing, and an hour of speech.

Goal:   silence, white and pink noise and a tone give no words; an hour of speech needs no more
        memory than a minute, and its last word is timed where it was said.
Method: the sounds are made here from a seeded generator. The hour repeats the LibriVox sentences of
        Debian's pocketsphinx-testdata with two seconds between them; a word that occurs once, at
        the very end, is looked up in the transcript. Peak memory is what the kernel counted.

usage: endurance.py LETHE
"""

import array
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import wave

RATE = 16000
FOLDER = '/usr/share/pocketsphinx/test/data/librivox'
MINUTES_OF_NOTHING = 10
SECONDS_OF_SPEECH = 3600
MEMORY_LIMIT_MB = 250
# Against the same word when its sentence is transcribed alone.
TIME_TOLERANCE_S = 0.3


def write_wav(path, blocks):
    with wave.open(path, 'wb') as file:
        file.setparams((1, 2, RATE, 0, 'NONE', ''))
        for block in blocks:
            file.writeframes(array.array('h', block).tobytes())


def second_of(kind, generator, state):
    """One second of a sound, as 16-bit samples at about -20 dB of full scale."""
    if kind == 'silence':
        return [0] * RATE
    if kind == 'tone':
        at = state.setdefault('at', 0)
        state['at'] = at + RATE
        return [int(6000 * math.sin(2 * math.pi * 440 * (at + i) / RATE)) for i in range(RATE)]
    white = [generator.gauss(0, 1) for _ in range(RATE)]
    if kind == 'white noise':
        return [int(max(-32768, min(32767, 3000 * v))) for v in white]
    # Three leaky sums of white noise, an octave and a half apart: 3 dB less each octave.
    sums, out = state.setdefault('sums', [0.0, 0.0, 0.0]), []
    for v in white:
        for i, (keep, add) in enumerate(((0.99765, 0.0990460), (0.963, 0.2965164),
                                         (0.57, 1.0526913))):
            sums[i] = keep * sums[i] + add * v
        out.append(int(max(-32768, min(32767, 1200 * (sum(sums) + 0.1848 * v)))))
    return out


def transcribe(lethe, path, *options):
    """Returns the JSON and the peak of resident memory in MB."""
    process = subprocess.Popen([lethe, 'transcribe', '--format', 'json', *options, path],
                               stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f'endurance: lethe failed on {path}')
    return json.loads(output), usage.ru_maxrss / 1024


def timed_words(lethe, path):
    result, memory_mb = transcribe(lethe, path, '--words')
    words = [(word['start'], word['text'].strip('.,').lower())
             for segment in result['segments'] for word in segment['words']]
    return words, result, memory_mb


def nothing(lethe, folder):
    good = True
    for kind in ('silence', 'white noise', 'pink noise', 'tone'):
        path = os.path.join(folder, 'nothing.wav')
        generator, state = random.Random(1), {}
        write_wav(path, (second_of(kind, generator, state) for _ in range(60 * MINUTES_OF_NOTHING)))
        result, _ = transcribe(lethe, path)
        words = len(result['text'].split())
        good = good and words == 0
        print(f'{MINUTES_OF_NOTHING} minutes of {kind}: {words} words')
    return good


def hour(lethe, folder):
    names = sorted(name for name in os.listdir(FOLDER) if name.endswith('.wav'))
    sentences = []
    for name in names:
        with wave.open(os.path.join(FOLDER, name), 'rb') as file:
            sentences.append(file.readframes(file.getnframes()))
    # "He was not an ill disposed young man": only at the end.
    last = next(s for name, s in zip(names, sentences) if '0880' in name)
    rest = [s for s in sentences if s is not last]
    path, pause = os.path.join(folder, 'hour.wav'), bytes(2 * RATE * 2)
    length, i = 0, 0
    with wave.open(path, 'wb') as file:
        file.setparams((1, 2, RATE, 0, 'NONE', ''))
        while length < SECONDS_OF_SPEECH * RATE * 2 - len(last):
            piece = rest[i % len(rest)] + pause
            file.writeframes(piece)
            length += len(piece)
            i += 1
        start = length / 2 / RATE
        file.writeframes(last)
    words, result, memory_mb = timed_words(lethe, path)
    young = [at for at, text in words if text == 'young']
    alone = os.path.join(folder, 'alone.wav')
    with wave.open(alone, 'wb') as file:
        file.setparams((1, 2, RATE, 0, 'NONE', ''))
        file.writeframes(last)
    expected = start + next(at for at, text in timed_words(lethe, alone)[0] if text == 'young')
    print(f'one hour: {result["duration"]:.1f} s of audio, {len(words)} words, '
          f'peak memory {memory_mb:.0f} MB')
    print(f'"young", said at {expected:.2f} s, heard at {young}')
    return (memory_mb < MEMORY_LIMIT_MB and len(young) == 1 and
            abs(young[0] - expected) < TIME_TOLERANCE_S)


def main():
    lethe = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        good = nothing(lethe, folder)
        good = hour(lethe, folder) and good
    print('endurance: ' + ('all as promised' if good else 'NOT as promised'))
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
