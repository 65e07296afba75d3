// Makes worse recordings out of the English ones of a manifest: quiet, noisy, overdriven, squeezed,
// behind something loud.
//
//   node bench/degraded.mjs MANIFEST.tsv FOLDER [NAME...]
//
// Each NAME (all of them, if none is given) becomes FOLDER/NAME with WAV files and a manifest of its
// own, for `lethe eval` and bench/eval_onnxruntime.mjs. The same noise every time.

import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';

import {DecodeRecording, kSampleRate, WriteWav} from './lib/audio.mjs';

const kLeastSamples = 800;  // shorter ones are of the test set's damaged files

// ---- Noise.

let seed = 12345;
/// Between 0 and 1, from a linear congruential generator.
function Uniform() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}
const Normal = () =>
    Math.sqrt(-2 * Math.log(Uniform() + 1e-12)) * Math.cos(2 * Math.PI * Uniform());
const White = (count) => Float32Array.from({length: count}, Normal);
/// As many octaves of random steps as matter, each half as often as the one before (Voss).
function Pink(count) {
  const octaves = Array.from({length: 12}, Normal);
  return Float32Array.from({length: count}, (_, i) => {
    for (let k = 0; k < octaves.length && i % 2 ** k === 0; ++k) octaves[k] = Normal();
    return octaves.reduce((a, b) => a + b);
  });
}
/// Three people at a time who speak without a pause: the recordings themselves, from other places.
function Babble(count) {
  const noise = new Float32Array(count);
  for (let speaker = 0; speaker < 3; ++speaker) {
    let at = 0;
    for (let i = Math.floor(Uniform() * recordings.length); at < count; ++i) {
      const {samples} = recordings[i % recordings.length];
      const gain = 0.1 / Math.max(1e-4, Level(samples));
      for (let j = 0; j < samples.length && at < count; ++j) noise[at++] += gain * samples[j];
    }
  }
  return noise;
}

// ---- What is done to samples.

const Level = (samples) =>
    Math.sqrt(samples.reduce((sum, v) => sum + v * v, 0) / Math.max(1, samples.length));
const Round = (v) => Math.round(v * 32768) / 32768;
const Gain = (db) => (samples) => samples.map((v) => Round(v * 10 ** (db / 20)));
const Offset = (offset) => (samples) => samples.map((v) => v + offset);
const Hum = (level) => (samples) =>
    samples.map((v, i) => v + level * Math.sin(2 * Math.PI * 50 * i / kSampleRate));

/// Noise, so many decibels below the recording; the sum fits into 16 bits.
function Below(db, MakeNoise) {
  return (samples) => {
    const noise = MakeNoise(samples.length);
    const gain = Level(samples) / Math.max(1e-9, Level(noise)) * 10 ** (-db / 20);
    const sum = samples.map((v, i) => v + gain * noise[i]);
    const peak = sum.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    return peak > 0.99 ? sum.map((v) => v * 0.99 / peak) : sum;
  };
}

// ---- What comes before.

function Ordinary(samples) {
  const gain = 0.08 / Math.max(1e-4, Level(samples));
  return samples.map((v) => gain * v);
}
/// A microphone that hears nobody.
const Faint = (seconds) => White(Math.round(seconds * kSampleRate)).map((v) => 1e-4 * v);
function Join(...parts) {
  const joined = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/// A message behind the beep of an answering machine, and so many decibels below ordinary speech.
function BehindBeep(db) {
  const beep = Float32Array.from(
      {length: kSampleRate / 2}, (_, i) => 0.3 * Math.sin(2 * Math.PI * 1000 * i / kSampleRate));
  return (samples) => Join(beep, Faint(0.5), Gain(-db)(Ordinary(samples)));
}
/// The other party of a call, so many decibels below the one before; both are to be heard.
function BehindAnother(db) {
  return (samples, i) => {
    const other = recordings[(i + 17) % recordings.length];
    return {
      samples: Join(Faint(0.3), Ordinary(other.samples), Faint(1), Gain(-db)(Ordinary(samples)),
                    Faint(1)),
      transcript: `${other.transcript} ${recordings[i].transcript}`,
    };
  };
}

/// Through an encoder of ffmpeg and back.
function Through(extension, ...options) {
  return (samples) => {
    const folder = mkdtempSync(join(tmpdir(), 'degraded-'));
    try {
      WriteWav(join(folder, 'in.wav'), samples);
      const out = join(folder, `out.${extension}`);
      execFileSync('ffmpeg', ['-v', 'error', '-i', join(folder, 'in.wav'), ...options, out]);
      return DecodeRecording(out);
    } finally {
      rmSync(folder, {recursive: true});
    }
  };
}

const kWays = {
  clean: (samples) => samples,
  quiet20: Gain(-20),
  quiet30: Gain(-30),
  quiet40: Gain(-40),
  quiet50: Gain(-50),
  overdriven18: Gain(18),
  offset: Offset(0.05),
  quiet20_offset: (samples) => Offset(0.05)(Gain(-20)(samples)),
  hum: Hum(0.05),
  white10: Below(10, White),
  pink5: Below(5, Pink),
  babble10: Below(10, Babble),
  mp3_16k: Through('mp3', '-b:a', '16k'),
  opus_8k: Through('ogg', '-c:a', 'libopus', '-b:a', '8k'),
  behind_beep30: BehindBeep(30),
  behind_another20: BehindAnother(20),
  behind_another30: BehindAnother(30),
};

// ---- From recordings to folders.

const [manifest, folder, ...names] = process.argv.slice(2);
const unknown = names.filter((name) => !(name in kWays));
if (!folder || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such way: ${unknown.join(', ')}`);
  console.error(`usage: node ${process.argv[1]} MANIFEST.tsv FOLDER [NAME...]`);
  console.error(`names: ${Object.keys(kWays).join(' ')}`);
  process.exit(2);
}

const [header, ...rows] = readFileSync(manifest, 'utf8').trimEnd().split(/\r?\n/)
    .map((line) => line.split('\t'));
const Field = (row, name) => row[header.indexOf(name)] ?? '';

const recordings = [];
for (const row of rows) {
  const transcript = Field(row, 'transcript');
  if (Field(row, 'language') !== 'en' || transcript === '') continue;
  const samples = DecodeRecording(resolve(dirname(manifest), Field(row, 'file')));
  if (samples.length < kLeastSamples) continue;
  recordings.push({id: Field(row, 'id') || `${recordings.length}`, samples, transcript});
}

for (const name of names.length > 0 ? names : Object.keys(kWays)) {
  mkdirSync(join(folder, name), {recursive: true});
  const lines = ['id\tfile\tlanguage\ttranscript'];
  for (const [i, {id, samples, transcript}] of recordings.entries()) {
    const file = `${id.replaceAll(/[^\w-]/g, '_')}.wav`;
    const made = kWays[name](samples, i);
    WriteWav(join(folder, name, file), made.samples ?? made);
    lines.push([id, file, 'en', made.transcript ?? transcript].join('\t'));
  }
  writeFileSync(join(folder, name, 'manifest.tsv'), `${lines.join('\n')}\n`);
  console.log(`${join(folder, name, 'manifest.tsv')}: ${recordings.length} recordings`);
}
