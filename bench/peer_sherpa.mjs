// sherpa-onnx on the published ONNX pair, one thread: samples to text.

import {mkdirSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';

import {kSampleRate, ReadWav} from './lib/audio.mjs';
import {kRoot, MoonshineFiles, PackageVersion} from './lib/files.mjs';
import {Arguments, Measure} from './lib/measure.mjs';
import {kVocabularySize, ReadPieces} from './lib/vocabulary.mjs';

const sherpa = createRequire(import.meta.url)('sherpa-onnx-node');

/// The vocabulary as sherpa's Moonshine v2 wants it: base64 of the piece, a tab, its id.
function WriteTokens(pieces) {
  const folder = join(kRoot, 'build', 'peers');
  mkdirSync(folder, {recursive: true});
  const lines = Array.from({length: kVocabularySize}, (_, id) => {
    const piece = pieces[id] ?? `<unused_${id}>`;
    return `${Buffer.from(piece, 'utf8').toString('base64')}\t${id}\n`;
  });
  const file = join(folder, 'tokens.txt');
  writeFileSync(file, lines.join(''));
  return file;
}

const {file, times} = Arguments();
const samples = ReadWav(file);
const {encoder, decoder, tokenizer} = MoonshineFiles();
const recognizer = new sherpa.OfflineRecognizer({
  featConfig: {sampleRate: kSampleRate, featureDim: 80},
  modelConfig: {
    moonshine: {encoder, mergedDecoder: decoder},
    tokens: WriteTokens(ReadPieces(tokenizer)),
    numThreads: 1,
    provider: 'cpu',
    debug: 0,
  },
});
await Measure('sherpa-onnx-node', PackageVersion('sherpa-onnx-node'), times, () => {
  const stream = recognizer.createStream();
  stream.acceptWaveform({sampleRate: kSampleRate, samples});
  recognizer.decode(stream);
  return recognizer.getResult(stream).text.trim();
});
