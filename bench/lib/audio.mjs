// Samples for the peers: 16 kHz, mono, in [-1, 1].

import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';

export const kSampleRate = 16000;
const kHeaderBytes = 44;

/// Any recording, decoded and resampled by the ffmpeg program.
/// Throws when ffmpeg is missing or finds no audio.
export function DecodeRecording(file) {
  const bytes = execFileSync(
      'ffmpeg',
      ['-v', 'error', '-nostdin', '-i', file, '-f', 'f32le', '-ac', '1', '-ar', `${kSampleRate}`, '-'],
      {maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore']});
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/// A WAV file of the plain kind that WriteWav() and Debian's test recordings are: 44 bytes of
/// header, 16-bit mono at 16 kHz.
export function ReadWav(file) {
  const bytes = readFileSync(file);
  const plain = bytes.toString('latin1', 0, 4) === 'RIFF' &&
      bytes.toString('latin1', 36, 40) === 'data' && bytes.readUInt16LE(22) === 1 &&
      bytes.readUInt32LE(24) === kSampleRate && bytes.readUInt16LE(34) === 16;
  if (!plain) throw new Error(`not a plain 16 kHz mono 16-bit WAV file: ${file}`);
  const samples = new Float32Array((bytes.length - kHeaderBytes) >> 1);
  for (let i = 0; i < samples.length; ++i) {
    samples[i] = bytes.readInt16LE(kHeaderBytes + 2 * i) / 32768;
  }
  return samples;
}

/// What is louder than full scale is clipped.
export function WriteWav(file, samples) {
  const bytes = Buffer.alloc(kHeaderBytes + 2 * samples.length);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(kSampleRate, 24);
  bytes.writeUInt32LE(2 * kSampleRate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, i) => {
    const value = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
    bytes.writeInt16LE(value, kHeaderBytes + 2 * i);
  });
  writeFileSync(file, bytes);
}
