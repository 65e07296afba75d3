// What the runners share: recordings, starting Lethe, numbers.

import {execFileSync} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';

/// Debian's pocketsphinx-testdata: sentences read for LibriVox, plain WAV files.
export const kRecordings = '/usr/share/pocketsphinx/test/data/librivox';

export function Recordings(folder = kRecordings) {
  return readdirSync(folder).filter((name) => name.endsWith('.wav')).sort()
      .map((name) => join(folder, name));
}

/// Runs a command that prints JSON; what it prints comes back as an object.
export function RunJson(command, words, environment = {}) {
  const output = execFileSync(command, words, {
    encoding: 'utf8',
    env: {...process.env, ...environment},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return JSON.parse(output);
}

export const Median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
