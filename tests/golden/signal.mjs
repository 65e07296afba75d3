// The recording that golden numbers are made from: four vowel-like bursts and a little noise,
// 1.6 s at 16 kHz. All arithmetic is on integers, so that signal.h, its twin, makes the same
// samples to the bit; both are compared with `signal.sha256` in golden.json.

export const kNumSamples = 25600;  // 50 windows of 512

// A burst is a quarter of the signal: a pulse train through two resonators. Of each resonator the
// two coefficients of y[n] = (c1 y[n-1] - c2 y[n-2]) / 2^14 + x[n], 100 to 160 Hz wide: vowels
// near a (730, 1090 Hz), i (270, 2290), u (300, 870), a again.
const kBurst = kNumSamples / 4;
const kResonators = [
  [[30820, 15753], [29003, 15508]],
  [[31950, 15753], [19757, 15386]],
  [[31908, 15753], [30037, 15508]],
  [[30820, 15753], [29003, 15508]],
];

/// Samples as 16-bit integers; divided by 32768 they are what the models get.
export function MakeSignal() {
  const samples = new Int16Array(kNumSamples);
  let random = 1;  // of x -> 1664525 x + 1013904223 mod 2^32
  let phase = 0;   // of the pulse train, 2^32 is one period
  let y = [[0, 0], [0, 0]];
  for (let n = 0; n < kNumSamples; ++n) {
    const burst = Math.floor(n / kBurst);
    const within = n % kBurst;
    if (within === 0) y = [[0, 0], [0, 0]];

    // The pitch rises from 110 Hz to about 160 Hz: 2^32 / 16000 = 268435.456 a hertz.
    const before = phase;
    phase = (phase + 29527900 + 524 * n) >>> 0;
    const pulse = phase < before ? 4096 : 0;

    let x = pulse;
    for (let r = 0; r < 2; ++r) {
      const [c1, c2] = kResonators[burst][r];
      const next = Math.floor((c1 * y[r][0] - c2 * y[r][1]) / 16384) + x;
      y[r] = [next, y[r][0]];
      x = Math.floor(next / 8);
    }

    // Up for 50 ms, steady, down for 50 ms, then 100 ms of pause.
    const level = Math.max(0, Math.min(800, within, kBurst - 1600 - within));
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const noise = (random >>> 23) - 256;
    const value = Math.floor(x * level / 800) + noise;
    samples[n] = Math.max(-32768, Math.min(32767, value));
  }
  return samples;
}
