// From the rate of the microphone to 16 kHz: a windowed sinc, by the block, with what is left over
// kept for the next one.

export const RATE = 16_000
const HALF = 16       // zero crossings on either side
const STEPS = 128     // of the kernel's table between two of them
const PASS = 0.93     // of the lower of both Nyquist frequencies

export class Resampler {
  private readonly ratio: number  // input samples for one of output
  private readonly scale: number  // of the kernel: below 1 when the rate goes down
  private readonly table: Float32Array
  private input = new Float32Array(0)
  private position: number        // of the next output sample, in `input`

  constructor(inputRate: number) {
    this.ratio = inputRate / RATE
    this.scale = Math.min(1, 1 / this.ratio) * PASS
    this.table = Float32Array.from({ length: HALF * STEPS + 2 }, (_, i) => {
      const x = i / STEPS
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
      const window = x >= HALF ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x / HALF) +
        0.08 * Math.cos(2 * Math.PI * x / HALF)
      return sinc * window
    })
    // Silence before the first sample, so that nothing of it is lost.
    this.input = new Float32Array(this.reach)
    this.position = this.reach
  }

  private get reach(): number { return Math.ceil(HALF / this.scale) + 1 }

  /** So much silence brings out the last of the samples. */
  get tail(): number { return this.reach }

  push(block: Float32Array): Float32Array {
    const input = new Float32Array(this.input.length + block.length)
    input.set(this.input)
    input.set(block, this.input.length)
    const reach = this.reach
    const count = Math.max(0, Math.ceil((input.length - reach - this.position) / this.ratio))
    const output = new Float32Array(count)
    for (let i = 0; i < count; ++i) output[i] = this.at(input, this.position + i * this.ratio)
    const next = this.position + count * this.ratio
    const keep = Math.max(0, Math.floor(next) - reach)
    this.input = input.slice(keep)
    this.position = next - keep
    return output
  }

  private at(input: Float32Array, position: number): number {
    const { scale, table } = this
    const first = Math.max(0, Math.ceil(position - HALF / scale))
    const last = Math.min(input.length - 1, Math.floor(position + HALF / scale))
    let sum = 0
    for (let n = first; n <= last; ++n) {
      const x = Math.abs(position - n) * scale * STEPS
      const low = Math.floor(x)
      const a = table[low] ?? 0
      sum += (input[n] ?? 0) * (a + ((table[low + 1] ?? 0) - a) * (x - low))
    }
    return sum * scale
  }
}
