// Decodes the English clips of a manifest whole with ONNX Runtime, for `lethe eval --hypotheses`:
//
//   node bench/eval_onnxruntime.mjs MANIFEST.tsv [--forbid-empty] > hypotheses.tsv
//
// One line a clip: id, tab, text. --forbid-empty keeps the model from ending at once.

import {readFileSync} from 'node:fs';
import {dirname, resolve} from 'node:path';

import {DecodeRecording} from './lib/audio.mjs';
import {MoonshineOrt} from './lib/moonshine_ort.mjs';

const options = process.argv.slice(2);
const forbid_empty = options.includes('--forbid-empty');
const manifest = options.find((option) => !option.startsWith('--'));
if (!manifest) {
  console.error(`usage: node ${process.argv[1]} MANIFEST.tsv [--forbid-empty]`);
  process.exit(2);
}

const [header, ...rows] = readFileSync(manifest, 'utf8').trimEnd().split(/\r?\n/)
    .map((line) => line.split('\t'));
const Field = (row, name) => row[header.indexOf(name)] ?? '';

const model = await MoonshineOrt.Load();
for (const row of rows) {
  if (Field(row, 'language') !== 'en' || Field(row, 'transcript') === '') continue;
  const id = Field(row, 'id') || Field(row, 'file');
  let samples;
  try {
    samples = DecodeRecording(resolve(dirname(manifest), Field(row, 'file')));
  } catch {
    console.error(`no audio: ${id}`);
    continue;
  }
  const text = await model.Transcribe(samples, {forbid_empty});
  console.log(`${id}\t${text.replaceAll(/\s+/g, ' ')}`);
}
