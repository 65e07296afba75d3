#!/usr/bin/env python3
"""How far the times of words are from where the words are.

usage: word_times.py PROGRAM [--manifest FILE] [--json]

Where they are is told by another recogniser: pocketsphinx, made to hear the words of the transcript
in their order and nothing else, with 10 ms frames. Recordings with a number or with a word that is not
in its dictionary are left out. Two sets are measured: the recordings as they are, and pairs of
sentences of one level with 0.15 to 0.5 s of near silence between them, too short to end a segment.
"""

import argparse
import array
import csv
import difflib
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import wave

MANIFEST = '../shared/data/speech/manifest.tsv'
MODEL = '/usr/share/pocketsphinx/model/en-us'
RATE = 16000
PAUSE = 0.15  # seconds between two words: more is a pause
GAPS = (0.15, 0.25, 0.35, 0.5)  # seconds between the sentences of a pair
LEVEL = 3000  # root mean square of a pair's sentences


def words_of(text):
    text = text.lower().replace('\N{RIGHT SINGLE QUOTATION MARK}', "'")
    return [w.strip("'") for w in re.findall(r"[a-z']+", text) if w.strip("'")]


def dictionary():
    with open(f'{MODEL}/cmudict-en-us.dict', encoding='utf-8') as lines:
        return {line.split(' ', 1)[0] for line in lines}


def samples_of(recording):
    raw = subprocess.run(['ffmpeg', '-v', 'error', '-i', recording, '-ac', '1', '-ar', str(RATE),
                          '-f', 's16le', '-'], check=True, capture_output=True).stdout
    return array.array('h', raw)


def align(samples, words, folder):
    """[(word, start, end)] in seconds; none when the words are not found in their order."""
    raw, grammar = f'{folder}/samples.raw', f'{folder}/words.gram'
    with open(raw, 'wb') as out:
        out.write(samples.tobytes())
    with open(grammar, 'w', encoding='ascii') as out:
        out.write(f'#JSGF V1.0;\ngrammar g;\npublic <s> = {" ".join(words)} ;\n')
    found = subprocess.run(
        ['pocketsphinx_continuous', '-infile', raw, '-jsgf', grammar, '-hmm', f'{MODEL}/en-us',
         '-dict', f'{MODEL}/cmudict-en-us.dict', '-time', 'yes', '-remove_silence', 'no',
         '-beam', '1e-80', '-wbeam', '1e-60', '-pbeam', '1e-80', '-bestpath', 'no',
         '-maxhmmpf', '-1', '-logfn', '/dev/null'],
        check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    aligned = []
    for line in found.splitlines():
        # "have(2) 1.090 1.230 0.998": a word in its second pronunciation, from, to, probability.
        match = re.fullmatch(r"([a-z']+)(?:\(\d+\))? ([\d.]+) ([\d.]+) [\d.]+", line)
        if match:
            aligned.append((match[1], float(match[2]), float(match[3])))
    return aligned if [word for word, _, _ in aligned] == words else None


def alone(manifest, folder):
    """{name: (samples, aligned words)}"""
    known = dictionary()
    recordings = {}
    with open(manifest, encoding='utf-8', newline='') as lines:
        for row in csv.DictReader(lines, delimiter='\t', quoting=csv.QUOTE_NONE):
            words = words_of(row['transcript'])
            if (not row['language'].startswith('en') or not words or
                    re.search(r'\d', row['transcript']) or not known.issuperset(words)):
                continue
            samples = samples_of(os.path.join(os.path.dirname(manifest), row['file']))
            aligned = align(samples, words, folder)
            if aligned:
                recordings[row['id']] = (samples, aligned)
    return recordings


def pairs(recordings):
    """Pairs of short sentences without a pause of their own."""
    chance = random.Random(5)

    def usable(words):
        gaps = [after[1] - before[2] for before, after in zip(words, words[1:])]
        return len(words) >= 4 and words[-1][2] - words[0][1] < 5 and max(gaps) < PAUSE

    names = [name for name, (_, words) in recordings.items() if usable(words)]
    chance.shuffle(names)
    noise = array.array('h', (round(chance.gauss(0, 8)) for _ in range(RATE // 2)))
    made = {}
    for n, pair in enumerate(zip(names[::2], names[1::2])):
        samples, aligned = noise[:], []
        for name in pair:
            heard, words = recordings[name]
            begin = max(0, words[0][1] - 0.05)
            part = heard[int(begin * RATE):int((words[-1][2] + 0.05) * RATE)]
            gain = LEVEL / (1 + statistics.fmean(v * v for v in part) ** 0.5)
            at = len(samples) / RATE - begin
            aligned += [(word, start + at, end + at) for word, start, end in words]
            samples.extend(max(-32768, min(32767, round(v * gain))) for v in part)
            samples.extend(noise[:int(GAPS[n % len(GAPS)] * RATE)])
        samples.extend(noise)
        made[f'pair{n:03}'] = (samples, aligned)
    return made


def transcribe(program, recordings, folder):
    """{name: [(word, start, end)]}; parts of a hyphenated word have its outer times only."""
    os.makedirs(folder)
    files = []
    for name, (samples, _) in recordings.items():
        files.append(f'{folder}/{name}.wav')
        with wave.open(files[-1], 'wb') as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(samples.tobytes())
    subprocess.run([program, 'transcribe', '--words', '--format', 'json', '--out', f'{folder}/out',
                    *files], check=True, stdout=subprocess.DEVNULL)
    heard = {}
    for name in recordings:
        with open(f'{folder}/out/{name}.json', encoding='utf-8') as answer:
            segments = json.load(answer)['segments']
        heard[name] = []
        for word in (word for segment in segments for word in segment['words']):
            parts = words_of(word['text'])
            for i, part in enumerate(parts):
                heard[name].append((part, word['start'] if i == 0 else None,
                                    word['end'] if i + 1 == len(parts) else None))
    return heard


def errors(recordings, heard):
    """{place: [seconds too late]} over the words that both have."""
    found = {}
    for name, (_, words) in recordings.items():
        same = difflib.SequenceMatcher(None, [word for word, _, _ in words],
                                       [word for word, _, _ in heard[name]], autojunk=False)
        for block in same.get_matching_blocks():
            for i in range(block.size):
                at = block.a + i
                _, start, end = words[at]
                _, told_start, told_end = heard[name][block.b + i]
                before = start - words[at - 1][2] if at > 0 else start
                after = words[at + 1][1] - end if at + 1 < len(words) else None
                if told_start is not None:
                    found.setdefault('starts', []).append(told_start - start)
                    if before > PAUSE:
                        found.setdefault('starts behind a pause', []).append(told_start - start)
                if told_end is not None:
                    found.setdefault('ends', []).append(told_end - end)
                    if after is None or after > PAUSE:
                        found.setdefault('ends before a pause', []).append(told_end - end)
    return found


def summary(late):
    size = [abs(v) for v in late]
    return {'words': len(late), 'mean': statistics.fmean(size), 'median': statistics.median(late),
            'within_100_ms': sum(v <= 0.1 for v in size) / len(size),
            'within_200_ms': sum(v <= 0.2 for v in size) / len(size)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('program')
    parser.add_argument('--manifest', default=MANIFEST)
    parser.add_argument('--json', action='store_true')
    options = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        print('aligning with pocketsphinx ...', file=sys.stderr)
        recordings = alone(options.manifest, folder)
        if not recordings:
            sys.exit(f'word_times: no English recording of {options.manifest} could be aligned')
        for label, group in (('recordings', recordings), ('pairs', pairs(recordings))):
            heard = transcribe(options.program, group, f'{folder}/{label}')
            result[label] = {place: summary(late)
                             for place, late in sorted(errors(group, heard).items())}
            result[label]['count'] = len(group)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for label, places in result.items():
        print(f'{places.pop("count")} {label}')
        print(f'{"":24}{"words":>6}{"mean error":>12}{"median":>10}{"<= 100 ms":>11}{"<= 200 ms":>11}')
        for place, row in places.items():
            print(f'  {place:22}{row["words"]:6}{row["mean"]:10.3f} s{row["median"]:+8.3f} s'
                  f'{row["within_100_ms"]:10.0%} {row["within_200_ms"]:10.0%}')


if __name__ == '__main__':
    main()
