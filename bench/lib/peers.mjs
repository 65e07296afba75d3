// Who Lethe is measured against, by the name of the npm package. Both load the published ONNX pair
// that Lethe's model is imported from.

import {PackageVersion} from './files.mjs';

export const kPeers = ['onnxruntime-node', 'sherpa-onnx-node'];

/// A peer ready to work with so many threads: {name, version, Transcribe(samples)}. Only what is
/// used is loaded: each brings its own libraries.
export async function LoadPeer(name, threads) {
  const model = name === 'onnxruntime-node' ?
      await (await import('./moonshine_ort.mjs')).MoonshineOrt.Load({threads}) :
      (await import('./moonshine_sherpa.mjs')).MoonshineSherpa.Load({threads});
  return {
    name,
    version: PackageVersion(name),
    Transcribe: (samples) => model.Transcribe(samples),
  };
}
