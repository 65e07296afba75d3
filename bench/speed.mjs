// The speed of Lethe beside its peers, in one run on one machine: one thread, an 11 s sentence,
// from samples to text.
//
//   node bench/speed.mjs build/lethe [FILE.wav]
//
// Lethe runs once for each instruction set that this CPU has. Runs alternate with the peers', so
// that a machine that gets slower for a while does so for all; medians over all rounds are shown.

import {mkdirSync} from 'node:fs';
import {cpus} from 'node:os';
import {join} from 'node:path';

import {kSampleRate, ReadWav, WriteWav} from './lib/audio.mjs';
import {kRoot, MoonshineFiles} from './lib/files.mjs';
import {Median, Recordings, RunJson} from './lib/measure.mjs';
import {kPeers} from './lib/peers.mjs';

const kRounds = 3;
const kRunsPerRound = 7;
const kSeconds = 11;

/// An 11 s recording made of LibriVox sentences, one after the other and cut at 11 s.
function MakeSentence() {
  const samples = new Float32Array(kSeconds * kSampleRate);
  let filled = 0;
  for (const recording of Recordings()) {
    const part = ReadWav(recording).subarray(0, samples.length - filled);
    samples.set(part, filled);
    filled += part.length;
  }
  const folder = join(kRoot, 'build', 'peers');
  mkdirSync(folder, {recursive: true});
  const file = join(folder, 'sentence.wav');
  WriteWav(file, samples);
  return file;
}

const RunPeer = (name, file) => RunJson(
    process.execPath, [join(kRoot, 'bench', 'peer_speed.mjs'), name, file, `${kRunsPerRound}`]);

/// Prints {"isa", "median_ms", "text"} and more.
/// The plain code takes seconds: two runs a round are enough to see how slow it is.
const RunLethe = (lethe, isa, file) => RunJson(
    lethe, ['bench', 'speed', '--json', '--runs', `${isa === 'scalar' ? 2 : kRunsPerRound}`, file],
    {LETHE_ISA: isa});

const [lethe, given] = process.argv.slice(2);
if (!lethe) {
  console.error('usage: node bench/speed.mjs build/lethe [FILE.wav]');
  process.exit(2);
}
const file = given ?? MakeSentence();
const seconds = ReadWav(file).length / kSampleRate;
MoonshineFiles();  // fetched before anything is timed

const contestants = [
  ...kPeers.map((name) => ({peer: true, run: () => RunPeer(name, file)})),
  ...['scalar', 'avx2', 'avxvnni', 'avx512', 'avx512vbmi', 'amx'].map(
      (isa) => ({name: `lethe ${isa}`, run: () => RunLethe(lethe, isa, file)})),
];
for (let round = 0; round < kRounds; ++round) {
  for (const contestant of contestants.filter(({skipped}) => !skipped)) {
    let result;
    try {
      result = contestant.run();
    } catch (error) {
      if (contestant.peer) throw error;
      contestant.skipped = `${error.stderr ?? error}`.trim().split('\n').pop();
      continue;
    }
    if (contestant.peer) contestant.name = `${result.peer} ${result.version}`;
    (contestant.medians ??= []).push(result.median_ms);
    contestant.text = result.text.replaceAll(/\s+/g, ' ').trim();
  }
}

const best_peer = Math.min(
    ...contestants.filter(({peer}) => peer).map(({medians}) => Median(medians)));
console.log(`${seconds.toFixed(1)} s of speech, one thread, samples to text; ${cpus()[0].model}, ` +
            `node ${process.version}; ${kRounds} rounds of ${kRunsPerRound} runs, medians\n`);
console.log('| what | ms | real-time factor | times the better peer |');
console.log('|---|---|---|---|');
for (const {name, medians, skipped} of contestants) {
  if (skipped) {
    console.log(`| ${name} | not run: ${skipped} | | |`);
    continue;
  }
  const ms = Median(medians);
  console.log(`| ${name} | ${ms.toFixed(1)} | ${(ms / 1000 / seconds).toFixed(4)} | ` +
              `${(best_peer / ms).toFixed(1)}x |`);
}

console.log('\nwhat was heard:');
const heard = new Map();
for (const {name, text} of contestants.filter(({text}) => text !== undefined)) {
  heard.set(text, [...(heard.get(text) ?? []), name]);
}
for (const [text, names] of heard) console.log(`  ${names.join(', ')}: ${text}`);
