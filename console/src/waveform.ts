// The waveform of the browser's own copy of a recording.

const RATE = 8000
const COLUMNS = 1200
// A browser may decode at the file's rate first: 48,000 samples a second of two channels, four bytes
// each, are 460 MB for this long.
const LONGEST_S = 20 * 60

export interface Peaks { peaks: Float32Array, duration: number }

/** The peaks of a file; null when this browser cannot decode it, or should not, it is so long. */
export function peaksOf(file: Blob, duration: number): Promise<Peaks | null> {
  if (duration > LONGEST_S) return Promise.resolve(null)
  const found = queue.then(() => decode(file))
  queue = found
  return found
}

// One at a time, for the memory that it takes.
let queue: Promise<unknown> = Promise.resolve()

async function decode(file: Blob): Promise<Peaks | null> {
  let audio: AudioBuffer
  try {
    audio = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await file.arrayBuffer())
  } catch {
    return null
  }
  const peaks = new Float32Array(COLUMNS)
  const samples = audio.getChannelData(0)
  samples.forEach((sample, i) => {
    const column = Math.floor(i * COLUMNS / samples.length)
    peaks[column] = Math.max(peaks[column]!, Math.abs(sample))
  })
  return { peaks, duration: audio.duration }
}

/** Draws peaks; what is before `position` (0 to 1) in the colour of what was heard. */
export function draw(canvas: HTMLCanvasElement, { peaks }: Peaks, position: number): void {
  const scale = devicePixelRatio
  const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale]
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height }
  const painter = canvas.getContext('2d')
  if (!painter || width === 0) return
  const style = getComputedStyle(canvas)
  const [heard, rest] = [style.getPropertyValue('--accent'), style.getPropertyValue('--wave')]
  painter.clearRect(0, 0, width, height)
  const bar = 3 * scale
  const loudest = Math.max(0.05, ...peaks)
  for (let x = 0; x < width; x += bar) {
    const from = Math.floor(x / width * peaks.length), to = Math.max(from + 1, Math.floor((x + bar) / width * peaks.length))
    let peak = 0
    for (let i = from; i < to && i < peaks.length; ++i) peak = Math.max(peak, peaks[i]!)
    const tall = Math.max(scale, peak / loudest * height * 0.92)
    painter.fillStyle = x / width < position ? heard : rest
    painter.fillRect(x, (height - tall) / 2, bar - scale, tall)
  }
}
