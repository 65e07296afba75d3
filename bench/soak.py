#!/usr/bin/env python3
"""Live streams at 80 % load, with clients that hang up and others that call, for a long time.

usage: soak.py PROGRAM [--minutes N] [--streams N] [FOLDER]

Runs `bench streams` once for all of the time and prints its resident memory while it runs: twelve
lines, however long that is. Fails when the program does, or when the last third of the time needs more
than 5 % more memory than the middle third did: what has a bound has reached it by then.
"""

import argparse
import os
import subprocess
import sys
import time

RECORDINGS = '/usr/share/pocketsphinx/test/data/librivox'
# On a core of the machine of docs/measurements.md these keep it 80 % busy.
STREAMS_PER_CORE = 38
LINES = 12


def resident_mb(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        for line in status:
            if line.startswith('VmRSS:'):
                return int(line.split()[1]) / 1024
    return 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('program')
    parser.add_argument('folder', nargs='?', default=RECORDINGS)
    parser.add_argument('--minutes', type=float, default=30)
    parser.add_argument('--streams', type=int, default=STREAMS_PER_CORE * (os.cpu_count() or 1))
    options = parser.parse_args()
    seconds = max(60, int(60 * options.minutes))
    command = [options.program, 'bench', 'streams', '--streams', str(options.streams),
               '--seconds', str(seconds), '--hang-up', '20', options.folder]
    seen = []
    with subprocess.Popen(command) as load:
        begin = time.monotonic()
        while load.poll() is None:
            if time.monotonic() - begin > seconds + 120:
                load.kill()
                sys.exit('soak: it did not end')
            time.sleep(1)
            elapsed = time.monotonic() - begin
            if elapsed < (len(seen) + 1) * seconds / LINES or load.poll() is not None:
                continue
            seen.append(resident_mb(load.pid))
            print(f'{elapsed / 60:6.1f} min   {seen[-1]:7.1f} MB resident', flush=True)
    if load.returncode != 0:
        sys.exit(f'soak: the program ended with {load.returncode}')
    third = len(seen) // 3
    before, after = max(seen[third:2 * third]), max(seen[2 * third:])
    print(f'soak: {before:.1f} MB in the middle third, {after:.1f} MB in the last')
    if after > 1.05 * before:
        sys.exit('soak: memory grows')


if __name__ == '__main__':
    main()
