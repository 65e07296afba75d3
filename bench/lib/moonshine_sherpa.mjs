// Moonshine in sherpa-onnx: the published ONNX pair, greedy.

import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';

import {kSampleRate} from './audio.mjs';
import {kRoot, MoonshineFiles} from './files.mjs';
import {kVocabularySize, ReadPieces} from './vocabulary.mjs';

const sherpa = createRequire(import.meta.url)('sherpa-onnx-node');

/// The vocabulary as sherpa's Moonshine v2 wants it: base64 of the piece, a tab, its id.
/// A file for each process: several may be written at once.
function WriteTokens(pieces) {
  const folder = join(kRoot, 'build', 'peers');
  mkdirSync(folder, {recursive: true});
  const lines = Array.from({length: kVocabularySize}, (_, id) => {
    const piece = pieces[id] ?? `<unused_${id}>`;
    return `${Buffer.from(piece, 'utf8').toString('base64')}\t${id}\n`;
  });
  const file = join(folder, `tokens_${process.pid}.txt`);
  writeFileSync(file, lines.join(''));
  return file;
}

export class MoonshineSherpa {
  static Load({threads = 1} = {}) {
    const {encoder, decoder, tokenizer} = MoonshineFiles();
    const tokens = WriteTokens(ReadPieces(tokenizer));
    const model = new MoonshineSherpa();
    model.recognizer = new sherpa.OfflineRecognizer({
      featConfig: {sampleRate: kSampleRate, featureDim: 80},
      modelConfig: {
        moonshine: {encoder, mergedDecoder: decoder},
        tokens,
        numThreads: threads,
        provider: 'cpu',
        debug: 0,
      },
    });
    rmSync(tokens);
    return model;
  }

  /// The text of samples decoded whole.
  Transcribe(samples) {
    const stream = this.recognizer.createStream();
    stream.acceptWaveform({sampleRate: kSampleRate, samples});
    this.recognizer.decode(stream);
    return this.recognizer.getResult(stream).text.trim();
  }
}
