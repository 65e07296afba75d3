// One call of the realtime interface, /asr/v2/, with the browser's session instead of a signature.

import { protocols } from './api'
import type { Line, Word } from './transcript'

export interface LiveEvents {
  /** The service listens. */
  open(): void
  /** What it heard of an utterance so far; a final one is its last. Times from the call's begin. */
  heard(line: Line, final: boolean): void
  /** It is over: complete, or with what went wrong. */
  over(failure: { code: number, message: string } | null): void
}

interface Frame {
  code: number
  message: string
  final?: 1
  result?: {
    slice_type: 0 | 1 | 2
    start_time: number
    end_time: number
    voice_text_str: string
    word_list: { word: string, start_time: number, end_time: number, confidence?: number }[]
  }
}

/** The connection was lost, or never came to be. */
export const LOST = -1

// So much unsent audio means that the network does not keep up: 30 s, half of what the service lets come
// ahead of its hearing.
const MOST_WAITING = 30 * 32_000

export class LiveCall {
  readonly voiceId = crypto.getRandomValues(new Uint32Array(4)).join('-')
  private readonly socket: WebSocket
  private done = false
  // Until the connection is there.
  private waiting: ArrayBuffer[] = []
  private waitingBytes = 0
  private finishing = false

  constructor(appId: number, engine: string, private readonly events: LiveEvents) {
    const query = new URLSearchParams({
      engine_model_type: engine,
      voice_id: this.voiceId,
      voice_format: '1',
      input_sample_rate: '16000',
      needvad: '1',
      word_info: '2',
      lethe_confidence: '1',
      nonce: String(1 + crypto.getRandomValues(new Uint32Array(1))[0]! % 999_999_999),
    })
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    this.socket = new WebSocket(`${scheme}://${location.host}/asr/v2/${appId}?${query}`, protocols())
    this.socket.onopen = () => this.flush()
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data) as Frame)
    this.socket.onclose = () => this.end({ code: LOST, message: 'the connection was lost' })
  }

  /** Sends audio, or ends the call when it cannot be sent as fast as it is spoken. */
  push(samples: ArrayBuffer): void {
    if (this.done || this.finishing) return
    const { readyState, bufferedAmount } = this.socket
    if (bufferedAmount + this.waitingBytes > MOST_WAITING) {
      this.socket.close()
      this.end({ code: LOST, message: 'the network is too slow' })
    } else if (readyState === WebSocket.OPEN) {
      this.socket.send(samples)
    } else if (readyState === WebSocket.CONNECTING) {
      this.waiting.push(samples)
      this.waitingBytes += samples.byteLength
    }
  }

  private flush(): void {
    if (this.done) return
    for (const samples of this.waiting) this.socket.send(samples)
    this.waiting = []
    this.waitingBytes = 0
    if (this.finishing) this.socket.send('{"type":"end"}')
  }

  /** Nothing comes any more; what was said is still heard to its end. */
  finish(): void {
    if (this.finishing) return
    this.finishing = true
    if (this.socket.readyState === WebSocket.OPEN) this.flush()
  }

  /** Ends it, and tells nothing any more. */
  abandon(): void {
    this.done = true
    this.socket.close()
  }

  private take(frame: Frame): void {
    if (this.done) return
    if (frame.code !== 0) return this.end({ code: frame.code, message: frame.message })
    if (frame.final) return this.end(null)
    if (!frame.result) return this.events.open()
    const { slice_type, start_time, end_time, voice_text_str, word_list } = frame.result
    if (voice_text_str === '') return
    const words = word_list.map<Word>(word => ({
      text: word.word, start: word.start_time / 1000, end: word.end_time / 1000,
      ...word.confidence === undefined ? {} : { confidence: word.confidence },
    }))
    this.events.heard({ start: start_time / 1000, end: end_time / 1000, text: voice_text_str, words },
      slice_type === 2)
  }

  private end(failure: { code: number, message: string } | null): void {
    if (this.done) return
    this.done = true
    this.events.over(failure)
  }
}
