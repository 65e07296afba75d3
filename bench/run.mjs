// The speed of Lethe beside its peers, in one run on one machine: one thread, an 11 s sentence,
// from samples to text.
//
//   node bench/run.mjs build/lethe [FILE.wav]
//
// Lethe runs once for each instruction set that this CPU has. Runs alternate with the peers', so
// that a machine that gets slower for a while does so for all; medians over all rounds are shown.

import {execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync} from 'node:fs';
import {cpus} from 'node:os';
import {join} from 'node:path';

import {kSampleRate, ReadWav, WriteWav} from './lib/audio.mjs';
import {kRoot, MoonshineFiles} from './lib/files.mjs';

const kRounds = 3;
const kRunsPerRound = 7;
const kSeconds = 11;
const kRecordings = '/usr/share/pocketsphinx/test/data/librivox';

/// An 11 s recording made of LibriVox sentences, one after the other and cut at 11 s.
function MakeSentence() {
  const samples = new Float32Array(kSeconds * kSampleRate);
  let filled = 0;
  for (const name of readdirSync(kRecordings).filter((name) => name.endsWith('.wav')).sort()) {
    const part = ReadWav(join(kRecordings, name)).subarray(0, samples.length - filled);
    samples.set(part, filled);
    filled += part.length;
  }
  const folder = join(kRoot, 'build', 'peers');
  mkdirSync(folder, {recursive: true});
  const file = join(folder, 'sentence.wav');
  WriteWav(file, samples);
  return file;
}

const Run = (command, words, environment = {}) => execFileSync(command, words, {
  encoding: 'utf8',
  env: {...process.env, ...environment},
  stdio: ['ignore', 'pipe', 'inherit'],
});

function RunPeer(script) {
  return [JSON.parse(Run(process.execPath, [join(kRoot, 'bench', script), file, `${kRunsPerRound}`]))];
}
