// The throughput of Lethe beside its peers, in one run on one machine: many recordings, all cores,
// from samples to text.
//
//   node bench/throughput.mjs build/lethe [FOLDER]
//
// Everybody gets the same recordings as plain WAV files, decoded before the clock starts. The peers
// decode a recording whole, one after the other, in as many processes as there are cores with one
// thread each, or in one process with as many threads; Lethe finds the speech first, and what it
// transcribes shares batches. Rounds alternate, so that a machine that gets slower for a while does
// so for all; medians are shown. Core-seconds are what the system counted, and hardly feel others
// who use the same machine. Of a peer's two ways, one that is slower in the first round and needs
// more core-seconds is out.

import {fork} from 'node:child_process';
import {mkdirSync, readdirSync, rmSync, statSync} from 'node:fs';
import {cpus} from 'node:os';
import {join} from 'node:path';

import {DecodeRecording, kSampleRate, ReadWav, WriteWav} from './lib/audio.mjs';
import {kRoot, MoonshineFiles} from './lib/files.mjs';
import {Median, Recordings, RunJson} from './lib/measure.mjs';
import {kPeers} from './lib/peers.mjs';

const kRounds = 3;
// Enough of them that batches are full and nobody waits long for the last.
const kLeastSeconds = 1000;
const kMostSeconds = 900;
// The peers decode whole recordings, and the model was trained on half a minute at most.
const kLongest = 30;
const kCores = cpus().length;

/// The recordings as 16 kHz WAV files under build/, and how long they are together.
function Prepare(folder) {
  const to = join(kRoot, 'build', 'peers', 'throughput');
  rmSync(to, {recursive: true, force: true});
  mkdirSync(to, {recursive: true});
  const names = folder === undefined ? Recordings() :
      readdirSync(folder).map((name) => join(folder, name))
          .filter((name) => statSync(name, {throwIfNoEntry: false})?.isFile()).sort();
  const files = [];
  let seconds = 0;
  for (const name of names) {
    let samples;
    try {
      samples = folder === undefined ? ReadWav(name) : DecodeRecording(name);
    } catch {
      console.error(`no audio: ${name}`);
      continue;
    }
    const length = samples.length / kSampleRate;
    if (length < 1 || length > kLongest || seconds + length > kMostSeconds) continue;
    seconds += length;
    files.push(join(to, `${String(files.length).padStart(4, '0')}.wav`));
    WriteWav(files.at(-1), samples);
  }
  if (files.length === 0) throw new Error(`no recordings of 1 to ${kLongest} s: ${folder}`);
  return {to, files, seconds};
}

/// All files `repeat` times through so many processes of a peer; each gets the next when it is
/// done with one.
async function RunPeer(name, processes, threads, files, repeat) {
  const workers = Array.from({length: processes}, () => fork(
      join(kRoot, 'bench', 'peer_throughput.mjs'), [name, `${threads}`, ...files]));
  const Next = (worker) => new Promise((resolve, reject) => {
    const Exit = (code) => reject(new Error(`${name} ended with exit code ${code}`));
    worker.once('exit', Exit);
    worker.once('message', (message) => {
      worker.off('exit', Exit);
      resolve(message);
    });
  });
  const [{version}] = await Promise.all(workers.map(Next));
  const start = process.hrtime.bigint();
  let next = 0;
  await Promise.all(workers.map(async (worker) => {
    while (next < files.length * repeat) {
      worker.send({file: next++ % files.length});
      await Next(worker);
    }
  }));
  const wall_seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const ends = await Promise.all(workers.map((worker) => {
    worker.send({end: true});
    return Next(worker);
  }));
  const cpu_seconds = ends.reduce((sum, end) => sum + end.cpu_seconds, 0);
  return {name: `${name} ${version}`, wall_seconds, cpu_seconds};
}

function RunLethe(lethe, folder, repeat) {
  const result = RunJson(lethe, ['bench', 'throughput', '--json', '--repeat', `${repeat}`, folder]);
  return {name: `lethe ${result.isa}`, ...result.samples_to_text};
}

const [lethe, folder] = process.argv.slice(2);
if (!lethe) {
  console.error('usage: node bench/throughput.mjs build/lethe [FOLDER]');
  process.exit(2);
}
MoonshineFiles();  // fetched before anything is timed
const {to, files, seconds} = Prepare(folder);
const repeat = Math.ceil(kLeastSeconds / seconds);
const audio = seconds * repeat;

const layouts = kCores === 1 ? [[1, 1]] : [[kCores, 1], [1, kCores]];
const contestants = [
  ...kPeers.flatMap((name) => layouts.map(([processes, threads]) => ({
    peer: true,
    how: `${processes} x ${threads}`,
    run: () => RunPeer(name, processes, threads, files, repeat),
  }))),
  {how: `1 x ${kCores}`, run: () => RunLethe(lethe, to, repeat)},
];
for (let round = 0; round < kRounds; ++round) {
  for (const contestant of contestants.filter(({out}) => !out)) {
    const {name, wall_seconds, cpu_seconds} = await contestant.run();
    contestant.name = name;
    (contestant.walls ??= []).push(wall_seconds);
    (contestant.cpus ??= []).push(cpu_seconds);
  }
  for (const one of contestants.filter(({peer}) => peer)) {
    one.out = contestants.some((other) => other.name === one.name &&
                                  other.walls[0] < one.walls[0] && other.cpus[0] < one.cpus[0]);
  }
}

const Best = (of) => Math.min(...contestants.filter(({peer}) => peer).map(of));
const Wall = ({walls}) => Median(walls), Cpu = ({cpus: seconds}) => Median(seconds);
const best_wall = Best(Wall), best_cpu = Best(Cpu);
console.log(`${files.length} recordings, ${seconds.toFixed(1)} s, ${repeat} times each, ${kCores} ` +
            `cores, samples to text; ${cpus()[0].model}, node ${process.version}; medians of ` +
            `${kRounds} rounds, of one where a peer did worse that way\n`);
console.log('| what | processes x threads | wall s | audio s per s | times the best peer | ' +
            'core-seconds | audio s per core-second | times the best peer |');
console.log('|---|---|---|---|---|---|---|---|');
for (const contestant of contestants) {
  const wall = Wall(contestant), cpu = Cpu(contestant);
  console.log(`| ${contestant.name} | ${contestant.how} | ${wall.toFixed(2)} | ` +
              `${(audio / wall).toFixed(1)} | ${(best_wall / wall).toFixed(1)}x | ` +
              `${cpu.toFixed(2)} | ${(audio / cpu).toFixed(1)} | ${(best_cpu / cpu).toFixed(1)}x |`);
}
