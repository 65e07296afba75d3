// The microphone, as blocks of 100 ms.

declare const WORKLET: string

export interface Block { samples: ArrayBuffer, peak: number }

export class Microphone {
  private constructor(private readonly stream: MediaStream, private readonly context: AudioContext) {}

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
    try {
      await context.audioWorklet.addModule(WORKLET)
      const capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 })
      capture.port.onmessage = ({ data }: MessageEvent<Block>) => onblock(data)
      context.createMediaStreamSource(stream).connect(capture)
      stream.getAudioTracks()[0]?.addEventListener('ended', onlost)
      await context.resume()
    } catch (error) {
      for (const track of stream.getTracks()) track.stop()
      void context.close()
      throw new Error(`The microphone could not be listened to: ${String(error)}`)
    }
    return new Microphone(stream, context)
  }

  close(): void {
    for (const track of this.stream.getTracks()) track.stop()
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
