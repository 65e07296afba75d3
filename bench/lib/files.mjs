// The published files that Lethe imports its models from, as the peers load them: fetched with the
// ordinary npm client, unpacked under build/.

import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const kRoot = fileURLToPath(new URL('../..', import.meta.url));
const kFolder = join(kRoot, 'build', 'peers');

export const kPackages = {
  moonshine: '@moonshine-ai/moonshine-js@0.1.29',
  tokenizer: 'llama-tokenizer-js@1.2.2',
  silero: '@ricky0123/vad-web@0.0.31',
};

/// The folder of an unpacked npm package, fetched when it is not there yet.
function Unpacked(name) {
  const folder = join(kFolder, name);
  const unpacked = join(folder, 'package');
  if (existsSync(join(unpacked, 'package.json'))) return unpacked;
  mkdirSync(folder, {recursive: true});
  const tarball = execFileSync(
      'npm', ['pack', '--silent', '--pack-destination', folder, kPackages[name]], {encoding: 'utf8'})
      .trim().split('\n').pop();
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', folder]);
  return unpacked;
}

export function MoonshineFiles() {
  const folder = join(Unpacked('moonshine'), 'dist', 'model', 'tiny', 'quantized');
  return {
    encoder: join(folder, 'encoder_model.onnx'),
    decoder: join(folder, 'decoder_model_merged.onnx'),
    tokenizer: join(Unpacked('tokenizer'), 'llama-tokenizer.js'),
  };
}

export function SileroFile(version = 5) {
  return join(Unpacked('silero'), 'dist', `silero_vad_v${version}.onnx`);
}

export function Sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/// The version of an installed npm package.
export function PackageVersion(name) {
  const file = join(kRoot, 'bench', 'node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
