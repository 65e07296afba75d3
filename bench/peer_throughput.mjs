// One process of a peer that transcribes what it is told to, for throughput.mjs.
//
//   fork('peer_throughput.mjs', [PEER, THREADS, ...FILES])
//
// Sends {ready, version} when the model is loaded, the files are decoded and one was transcribed to
// warm up. Told {file: index}, it transcribes that one and sends {done}; told {end}, it sends
// {cpu_seconds} of what it did since it was ready.

import {ReadWav} from './lib/audio.mjs';
import {LoadPeer} from './lib/peers.mjs';

const [name, threads, ...files] = process.argv.slice(2);
const samples = files.map(ReadWav);
const peer = await LoadPeer(name, Number(threads));
await peer.Transcribe(samples[0]);
const begun = process.cpuUsage();
process.on('message', async ({file, end}) => {
  if (end) {
    const {user, system} = process.cpuUsage(begun);
    process.send({cpu_seconds: (user + system) / 1e6});
    process.disconnect();
    return;
  }
  await peer.Transcribe(samples[file]);
  process.send({done: true});
});
process.send({ready: true, version: peer.version});
