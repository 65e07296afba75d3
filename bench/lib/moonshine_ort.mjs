// Moonshine in ONNX Runtime: the published pair of graphs, greedy.

import {readFileSync} from 'node:fs';
import ort from 'onnxruntime-node';

import {kSampleRate} from './audio.mjs';
import {MoonshineFiles} from './files.mjs';
import {Detokenize, kBeginToken, kEndToken, ReadPieces} from './vocabulary.mjs';

const kLayers = 6;
const kHeads = 8;
const kHeadSize = 36;

// Above this rate greedy decoding is repeating its last words: the model card's figure for Latin
// scripts.
const kTokensPerSecond = 6.5;

// 127 samples in steps of 64, 7 of those in steps of 3, 3 of those in steps of 2: below this many
// samples the encoder has no frame.
export const kFewestSamples = 127 + 64 * (6 + 3 * 2);

const Options = (threads) => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
});

const Names = (prefix) => Array.from({length: kLayers}, (_, layer) => layer)
    .flatMap((layer) => ['decoder', 'encoder'].flatMap(
        (part) => ['key', 'value'].map((what) => `${prefix}.${layer}.${part}.${what}`)));
const kPast = Names('past_key_values');
const kPresent = Names('present');

export class MoonshineOrt {
  static async Load({threads = 1} = {}) {
    const options = Options(threads);
    const files = MoonshineFiles();
    const model = new MoonshineOrt();
    model.encoder = await ort.InferenceSession.create(readFileSync(files.encoder), options);
    model.decoder = await ort.InferenceSession.create(readFileSync(files.decoder), options);
    model.pieces = ReadPieces(files.tokenizer);
    return model;
  }

  /// The text of samples decoded whole; with `forbid_empty` the first token is never the end.
  async Transcribe(samples, {forbid_empty = false} = {}) {
    if (samples.length < kFewestSamples) return '';
    const input_values = new ort.Tensor('float32', samples, [1, samples.length]);
    const {last_hidden_state} = await this.encoder.run({input_values});
    const none = new ort.Tensor('float32', new Float32Array(0), [1, kHeads, 0, kHeadSize]);
    const feeds = {encoder_hidden_states: last_hidden_state};
    for (const name of kPast) feeds[name] = none;

    const tokens = [];
    const limit = Math.ceil(samples.length / kSampleRate * kTokensPerSecond);
    for (let last = kBeginToken; tokens.length < limit;) {
      const first = tokens.length === 0;
      feeds.input_ids = new ort.Tensor('int64', BigInt64Array.of(BigInt(last)), [1, 1]);
      feeds.use_cache_branch = new ort.Tensor('bool', Uint8Array.of(first ? 0 : 1), [1]);
      const outputs = await this.decoder.run(feeds);
      // The cross-attention's keys and values are made once; later steps only pass something on.
      kPresent.forEach((name, i) => {
        if (first || name.includes('.decoder.')) feeds[kPast[i]] = outputs[name];
      });
      last = Best(outputs.logits.data, first && forbid_empty ? kEndToken : -1);
      if (last === kEndToken) break;
      tokens.push(last);
    }
    return Detokenize(this.pieces, tokens);
  }
}

function Best(logits, forbidden) {
  let best = forbidden === 0 ? 1 : 0;
  for (let i = 0; i < logits.length; ++i) {
    if (i !== forbidden && logits[i] > logits[best]) best = i;
  }
  return best;
}
