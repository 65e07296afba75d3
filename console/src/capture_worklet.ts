// On the audio thread: the microphone's first channel becomes blocks of 16-bit samples at 16 kHz,
// 100 ms each, and how loud they are.

import { RATE, Resampler } from './resampler'

declare const sampleRate: number
declare class AudioWorkletProcessor { readonly port: MessagePort }
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void

const BLOCK = RATE / 10

class Capture extends AudioWorkletProcessor {
  constructor() {
    super()
    // What is left is sent, and an empty block after it.
    this.port.onmessage = () => {
      this.take(new Float32Array(this.resampler.tail))
      if (this.filled > 0) this.send()
      this.send()
    }
  }

  private readonly resampler = new Resampler(sampleRate)
  private block = new Int16Array(BLOCK)
  private filled = 0
  private peak = 0

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0]
    if (channel) this.take(channel)
    return true
  }

  private take(channel: Float32Array): void {
    for (const sample of this.resampler.push(channel)) {
      const clipped = Math.max(-1, Math.min(1, sample))
      this.peak = Math.max(this.peak, Math.abs(clipped))
      this.block[this.filled++] = Math.round(clipped * 32_767)
      if (this.filled === BLOCK) this.send()
    }
  }

  private send(): void {
    const samples = this.block.slice(0, this.filled).buffer
    this.port.postMessage({ samples, peak: this.peak }, [samples])
    this.block = new Int16Array(BLOCK)
    this.filled = 0
    this.peak = 0
  }
}

registerProcessor('capture', Capture)
