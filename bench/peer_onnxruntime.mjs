// ONNX Runtime on the published ONNX pair, one thread: samples to text.

import {ReadWav} from './lib/audio.mjs';
import {PackageVersion} from './lib/files.mjs';
import {Arguments, Measure} from './lib/measure.mjs';
import {MoonshineOrt} from './lib/moonshine_ort.mjs';

const {file, times} = Arguments();
const samples = ReadWav(file);
const model = await MoonshineOrt.Load();
await Measure('onnxruntime-node', PackageVersion('onnxruntime-node'), times,
              () => model.Transcribe(samples));
