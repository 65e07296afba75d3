// One peer, one thread, one recording again and again: samples to text.
//
//   node bench/peer_speed.mjs PEER FILE.wav [RUNS]
//
// Prints {"peer", "version", "median_ms", "fastest_ms", "text"}: milliseconds of wall time.

import {ReadWav} from './lib/audio.mjs';
import {Median} from './lib/measure.mjs';
import {kPeers, LoadPeer} from './lib/peers.mjs';

const [name, file, runs = '10'] = process.argv.slice(2);
if (!kPeers.includes(name) || !file || !(Number(runs) >= 1)) {
  console.error(`usage: node ${process.argv[1]} ${kPeers.join('|')} FILE.wav [RUNS]`);
  process.exit(2);
}
const samples = ReadWav(file);
const peer = await LoadPeer(name, 1);
const text = await peer.Transcribe(samples);  // warms up
const elapsed = [];
for (let i = 0; i < Number(runs); ++i) {
  const start = process.hrtime.bigint();
  await peer.Transcribe(samples);
  elapsed.push(Number(process.hrtime.bigint() - start) / 1e6);
}
console.log(JSON.stringify({
  peer: name,
  version: peer.version,
  median_ms: Median(elapsed),
  fastest_ms: Math.min(...elapsed),
  text,
}));
