// What every peer runner does: time a transcription and print one line of JSON.

/// Runs `transcribe` once to warm up and `times` times for the record.
/// Units: median_ms and fastest_ms in milliseconds of wall time
export async function Measure(peer, version, times, transcribe) {
  const text = await transcribe();
  const elapsed = [];
  for (let i = 0; i < times; ++i) {
    const start = process.hrtime.bigint();
    await transcribe();
    elapsed.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  elapsed.sort((a, b) => a - b);
  const median_ms = elapsed[times >> 1];
  console.log(JSON.stringify({peer, version, median_ms, fastest_ms: elapsed[0], text}));
}

/// The file and the number of runs on the command line.
export function Arguments() {
  const [file, times = '10'] = process.argv.slice(2);
  if (!file || !(Number(times) >= 1)) {
    console.error(`usage: node ${process.argv[1]} FILE.wav [RUNS]`);
    process.exit(2);
  }
  return {file, times: Number(times)};
}
