// Makes golden.json: what ONNX Runtime computes at the named stages of the models, on the signal of
// signal.mjs. Run by hand when a model's revision changes:
//
//   (cd bench && npm ci) && node tests/golden/make_golden.mjs
//
// Every stage of Moonshine is there three times, with the same 8-bit weights:
//   quantised  the published graph, which quantises activations per tensor
//   float      activations left in float
//   per_row    activations rounded to 8 bits row by row, at the places where Lethe does it
// What is left between per_row and Lethe is the order of float sums. It does not stay small: a
// difference of e in front of a rounding to steps of s takes e/s of the values to the next step,
// which is sqrt(e*s) of noise behind it. So Lethe agrees with per_row to 0.05 % behind the stem's two
// roundings, and after some blocks only about as well as roundings allow at all.
// The drifts, the rms of a difference over the whole stage divided by the stage's rms, are where
// tolerances come from: `quantisation_drift` between float and quantised, `per_row_drift` between
// float and per_row.

import {createHash} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';

import {kPackages, MoonshineFiles, PackageVersion, Sha256, SileroFile} from '../../bench/lib/files.mjs';
import {Encoded, Expose, HoistBranch, ReadModel, RoundConvolutionWindows, RoundInput,
        WithFloatActivations} from '../../bench/lib/onnx_model.mjs';
import {kNumSamples, MakeSignal} from './signal.mjs';

const ort = createRequire(new URL('../../bench/package.json', import.meta.url))('onnxruntime-node');

// "The quick brown fox", after the begin token.
const kPrefix = [1, 450, 4996, 17354, 1701, 29916];
const kLayers = 6;
const kSampled = 64;
const kWindow = 512;
const kContext = 64;

// Nothing is fused or reordered: the reference is the graph as it is written.
const kOptions = {graphOptimizationLevel: 'disabled', intraOpNumThreads: 1, interOpNumThreads: 1};

const Float = (values, shape) => new ort.Tensor('float32', values, shape);
const Int64 = (values, shape) => new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
const Rms = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
const Rounded = (value) => Number(value.toPrecision(8));

async function Run(graph_model, feeds) {
  const session = await ort.InferenceSession.create(Encoded(graph_model), kOptions);
  const outputs = await session.run(feeds);
  await session.release();
  return outputs;
}

const kEncoderStages = {
  'encoder.stem': '/Transpose_output_0',
  ...Object.fromEntries(Array.from(
      {length: kLayers}, (_, i) => [`encoder.block.${i}`, `/layers.${i}/Add_1_output_0`])),
  'encoder.out': 'last_hidden_state',
};
const kDecoderStages = {
  ...Object.fromEntries(Array.from(
      {length: kLayers}, (_, i) => [`decoder.block.${i}`, `/model/decoder/layers.${i}/Add_2_output_0`])),
  'logits': 'logits',
};

const Named = (stages, outputs) =>
    Object.entries(stages).map(([stage, output]) => [stage, outputs[output]]);

// Outputs of the first convolution: 127 samples in steps of 64.
const FirstOutputs = (samples) => Math.floor((samples.length - 127) / 64) + 1;

async function Encode(samples, activations) {
  const model = ReadModel(MoonshineFiles().encoder);
  const per_row = activations === 'per_row';
  if (activations !== 'quantised') WithFloatActivations(model.graph, {per_row});
  if (per_row) {
    const second = RoundConvolutionWindows(model.graph, '/conv2/Conv', FirstOutputs(samples));
    RoundConvolutionWindows(model.graph, '/conv3/Conv', second);
  }
  Expose(model.graph, Object.values(kEncoderStages).filter((name) => name !== 'last_hidden_state'));
  return Named(kEncoderStages,
               await Run(model, {input_values: Float(samples, [1, samples.length])}));
}

/// All tokens of the prefix at once, through the branch that has no cache.
async function Decode(encoded, activations) {
  const model = ReadModel(MoonshineFiles().decoder);
  HoistBranch(model.graph, 'else_branch');
  const per_row = activations === 'per_row';
  if (activations !== 'quantised') WithFloatActivations(model.graph, {per_row});
  if (per_row) RoundInput(model.graph, '/proj_out/MatMul');
  model.graph.input =
      model.graph.input.filter(({name}) => name === 'input_ids' || name === 'encoder_hidden_states');
  model.graph.output = model.graph.output.filter(({name}) => name === 'logits');
  for (const output of model.graph.output) output.type = {tensor_type: {elem_type: 1}};
  Expose(model.graph, Object.values(kDecoderStages).filter((name) => name !== 'logits'));
  return Named(kDecoderStages, await Run(model, {
    input_ids: Int64(kPrefix, [1, kPrefix.length]),
    encoder_hidden_states: encoded,
  }));
}

async function Moonshine(samples, activations) {
  const encoder = await Encode(samples, activations);
  const decoder = await Decode(new Map(encoder).get('encoder.out'), activations);
  return new Map([...encoder, ...decoder]);
}

/// One probability for each window of 512 samples, 64 samples of the window before in front of it.
async function VoiceActivity(samples, version) {
  const session = await ort.InferenceSession.create(SileroFile(version), kOptions);
  let state = Float(new Float32Array(2 * 128), [2, 1, 128]);
  const probabilities = [];
  for (let start = 0; start + kWindow <= samples.length; start += kWindow) {
    const window = new Float32Array(kContext + kWindow);
    for (let i = 0; i < window.length; ++i) window[i] = samples[start - kContext + i] ?? 0;
    const outputs = await session.run(
        {input: Float(window, [1, window.length]), state, sr: Int64([16000], [])});
    probabilities.push(Rounded(outputs.output.data[0]));
    state = outputs.stateN;
  }
  return probabilities;
}

/// What mains may add, here as loud as the signal.
const kHum = {hertz: 60, amplitude: 0.2};
const WithHum = (samples) => samples.map(
    (v, i) => v + kHum.amplitude * Math.sin(2 * Math.PI * kHum.hertz * i / 16000));

/// The sampled places of a stage, spread over rows and columns alike: the step is prime and near
/// the golden section of the size.
function Places(size) {
  const IsPrime = (n) => {
    for (let d = 2; d * d <= n; ++d) if (n % d === 0) return false;
    return n > 1;
  };
  let step = Math.max(2, Math.floor(size * 0.618));
  while (!IsPrime(step) || size % step === 0) ++step;
  return Array.from({length: kSampled}, (_, i) => (i * step) % size);
}

const Statistics = (values, places) => ({
  mean: Rounded(values.reduce((sum, v) => sum + v, 0) / values.length),
  rms: Rounded(Rms(values)),
  values: places.map((place) => Rounded(values[place])),
});

const integers = MakeSignal();
const samples = Float32Array.from(integers, (value) => value / 32768);
const quantised = await Moonshine(samples, 'quantised');
const float = await Moonshine(samples, 'float');
const per_row = await Moonshine(samples, 'per_row');

const stages = {};
for (const [name, tensor] of float) {
  const [a, b, c] = [float, quantised, per_row].map((variant) => variant.get(name).data);
  const Drift = (other) => Rounded(Rms(a.map((value, i) => value - other[i])) / Rms(a));
  const [, rows, columns] = tensor.dims;
  const places = Places(a.length);
  stages[name] = {
    shape: [rows, columns],
    quantisation_drift: Drift(b),
    per_row_drift: Drift(c),
    places,
    float: Statistics(a, places),
    quantised: Statistics(b, places),
    per_row: Statistics(c, places),
  };
}

const NextTokens = ({data, dims: [, rows, columns]}) => Array.from({length: rows}, (_, row) => {
  const values = data.subarray(row * columns, (row + 1) * columns);
  return values.indexOf(values.reduce((best, value) => Math.max(best, value)));
});

const golden = {
  comment: 'Made by make_golden.mjs, which says what the fields mean.',
  versions: {'onnxruntime-node': PackageVersion('onnxruntime-node'), ...kPackages},
  sha256: {
    encoder: Sha256(MoonshineFiles().encoder),
    decoder: Sha256(MoonshineFiles().decoder),
    silero_v5: Sha256(SileroFile(5)),
    silero_v6: Sha256(SileroFile(6)),
  },
  signal: {
    samples: kNumSamples,
    sha256: createHash('sha256').update(new Uint8Array(integers.buffer)).digest('hex'),
    first: [...integers.slice(0, 8)],
  },
  prefix: kPrefix,
  stages,
  next_token: {
    float: NextTokens(float.get('logits')),
    quantised: NextTokens(quantised.get('logits')),
    per_row: NextTokens(per_row.get('logits')),
  },
  voice_activity: {
    window: kWindow,
    context: kContext,
    silero_v5: await VoiceActivity(samples, 5),
    silero_v6: await VoiceActivity(samples, 6),
    hum: kHum,
    silero_v5_with_hum: await VoiceActivity(WithHum(samples), 5),
  },
};

// One line for each list of numbers: small, and a changed stage is a readable difference.
const text = JSON.stringify(golden, null, 1).replace(
    /\[[^\][{}]*\]/g, (list) => list.includes('"') ? list : list.replace(/\s+/g, ''));
const file = fileURLToPath(new URL('golden.json', import.meta.url));
writeFileSync(file, text + '\n');
console.log(`${file}: ${Object.keys(stages).length} stages, ${text.length} bytes`);
