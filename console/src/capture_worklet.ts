// On the audio thread: the microphone's first channel becomes blocks of 16-bit samples at 16 kHz,
// 100 ms each, and how loud they are.

import { RATE, Resampler } from './resampler'

declare const sampleRate: number
declare class AudioWorkletProcessor { readonly port: MessagePort }
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void

const BLOCK = RATE / 10

class Capture extends AudioWorkletProcessor {
  private readonly resampler = new Resampler(sampleRate)
  private block = new Int16Array(BLOCK)
  private filled = 0
  private peak = 0

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0]
    if (!channel) return true
    for (const sample of this.resampler.push(channel)) {
      const clipped = Math.max(-1, Math.min(1, sample))
      this.peak = Math.max(this.peak, Math.abs(clipped))
      this.block[this.filled++] = Math.round(clipped * 32_767)
      if (this.filled === BLOCK) this.send()
    }
    return true
  }

  private send(): void {
    this.port.postMessage({ samples: this.block.buffer, peak: this.peak }, [this.block.buffer])
    this.block = new Int16Array(BLOCK)
    this.filled = 0
    this.peak = 0
  }
}

registerProcessor('capture', Capture)
