// The microphone, as blocks of 100 ms.

declare const WORKLET: string

export interface Block { samples: ArrayBuffer, peak: number }

// How long the audio thread is waited for.
const FLUSH_MS = 500

export class Microphone {
  private closed: Promise<void> | null = null

  private constructor(private readonly stream: MediaStream, private readonly context: AudioContext,
    private readonly flush: () => Promise<void>) {}

  /** Asks for the microphone, and calls `onblock` until close(); `onlost` when it is taken away.
   * Rejects with an Error whose message is for people. */
  static async open(onblock: (block: Block) => void, onlost: () => void): Promise<Microphone> {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error('This browser gives a microphone only to pages that came over TLS (https) or ' +
        'from this machine itself. Open the console under an https address.')
    }
    let stream: MediaStream
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: true },
      })
    } catch (error) {
      throw new Error(refusal(error))
    }
    const context = new AudioContext()
    const failed = (why: string): never => {
      for (const track of stream.getTracks()) track.stop()
      void context.close()
      throw new Error(why)
    }
    try {
      await context.audioWorklet.addModule(WORKLET)
    } catch {
      failed('A part of this page could not be fetched: the service does not answer, or it was updated since the ' +
        'page was opened. Save what is on the page, reload it, then press Record again.')
    }
    let last = () => {}
    const end = new Promise<void>(resolve => { last = resolve })
    let capture: AudioWorkletNode
    try {
      capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 })
      capture.port.onmessage = ({ data }: MessageEvent<Block>) => data.samples.byteLength > 0 ? onblock(data) : last()
      context.createMediaStreamSource(stream).connect(capture)
      stream.getAudioTracks()[0]?.addEventListener('ended', onlost)
      await context.resume()
    } catch (error) {
      return failed(`The microphone could not be listened to: ${String(error)}`)
    }
    return new Microphone(stream, context, () => {
      capture.port.postMessage('flush')
      return Promise.race([end, new Promise<void>(resolve => setTimeout(resolve, FLUSH_MS))])
    })
  }

  /** Stops listening; `onblock` may be called until it is done, with what was heard last. */
  close(): Promise<void> { return this.closed ??= this.shut() }

  private async shut(): Promise<void> {
    for (const track of this.stream.getTracks()) track.stop()
    await this.flush()
    void this.context.close()
  }
}

function refusal(error: unknown): string {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError') {
    return 'The browser was told not to give the microphone to this page. Allow it in the ' +
      'browser’s settings for this site, then press Record again.'
  }
  if (name === 'NotFoundError') return 'There is no microphone here. Connect one, then press Record again.'
  if (name === 'NotReadableError') return 'Another program has the microphone. Close that, then press Record again.'
  return `The microphone cannot be used: ${String(error)}`
}
