// What the page Watch shows of the service's last hour: its samples, what is drawn of them, and the same in
// words.

import { size, span } from './dom'

/** What `GET /lethe/v1/watch` answers; durations are seconds. */
export interface Sample {
  number: number
  time: number
  lasted: number
  calls: Record<string, { ended: number, faults: number }>
  latency: { p50: number, p95: number, p99: number } | null
  refused: number
  rows_lost: number
  heard: number
  rtf: number | null
  live_streams: number
  recordings: number
  calls_waiting: number
  stretches_waiting: number
  erasure_late: number
  ledger_late: number
  resident_bytes: number
}

export interface Watched {
  now: number
  process: { node: string, started: number }
  interval: number
  keeps: number
  state: {
    held: boolean
    clock_behind: number
    ledger_is_ours: boolean
    rows_lost: number
    live_streams: number
    calls_waiting: number
    resident_bytes: number
    memory_limit: number
    disk_size: number | null
    disk_free: number | null
  }
  samples: Sample[]
}

type Colour = 'accent' | 'danger' | 'warn' | 'good'

export interface Line {
  name: string
  colour: Colour
  /** Lengths of strokes and gaps: lines are told apart without their colours too. */
  dash?: number[]
  of(sample: Sample): number | null
}

export interface Chart {
  id: string
  title: string
  about: string
  lines: Line[]
  /** A figure with its unit, for people. */
  show(value: number): string
  /** What the newest samples say, in a sentence or two. */
  words(newest: Sample, all: Sample[]): string
}

export const ended = ({ calls }: Sample) => Object.values(calls).reduce((sum, each) => sum + each.ended, 0)
export const faults = ({ calls }: Sample) => Object.values(calls).reduce((sum, each) => sum + each.faults, 0)
export const sum = (all: Sample[], of: (sample: Sample) => number) => all.reduce((total, sample) => total + of(sample), 0)
const most = (all: Sample[], of: (sample: Sample) => number) => all.reduce((least, sample) => Math.max(least, of(sample)), 0)

export const plural = (n: number, one: string, many: string) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`
const short = (value: number) => value.toLocaleString('en', { maximumSignificantDigits: 3 })
export const percent = (share: number) => `${short(share)} %`
const seconds = (value: number) => value < 1 ? `${Math.round(value * 1000)} ms` : `${short(value)} s`
const perMinute = (count: number, { lasted }: Sample) => lasted > 0 ? count * 60 / lasted : 0
/** How far back samples go. */
const reach = (all: Sample[]) => `in the last ${span(sum(all, ({ lasted }) => lasted))}`

export const CHARTS: Chart[] = [
  {
    id: 'calls', title: 'Calls', about: 'Calls that ended, a minute; of all interfaces.', show: value => `${short(value)} a minute`,
    lines: [
      { name: 'ended', colour: 'accent', of: sample => perMinute(ended(sample), sample) },
      { name: 'failed by our fault', colour: 'danger', dash: [6, 4], of: sample => perMinute(faults(sample), sample) },
    ],
    words: (newest, all) => `${plural(ended(newest), 'call', 'calls')} in the last ${Math.round(newest.lasted)} s; ` +
      `${plural(sum(all, ended), 'call', 'calls')} ${reach(all)}, ${sum(all, faults)} of them failed by the service’s fault.`,
  },
  {
    id: 'errors', title: 'Error rate', about: 'Of the calls that ended, those that failed by the service’s own fault, as the service levels count them.', show: percent,
    lines: [{ name: 'failed', colour: 'danger', of: sample => ended(sample) > 0 ? 100 * faults(sample) / ended(sample) : null }],
    words: (newest, all) => {
      const calls = sum(all, ended)
      if (calls === 0) return 'No call ended, so there is no rate.'
      return `${ended(newest) > 0 ? percent(100 * faults(newest) / ended(newest)) : 'No calls'} just now; ${percent(100 * sum(all, faults) / calls)} ${reach(all)}.`
    },
  },
  {
    id: 'latency', title: 'Latency', about: 'How long sentences, flash calls and OpenAI’s transcriptions took, of those that ended; estimated within the histogram’s buckets.',
    show: seconds,
    lines: [
      { name: 'p50', colour: 'accent', of: ({ latency }) => latency?.p50 ?? null },
      { name: 'p95', colour: 'warn', dash: [8, 4], of: ({ latency }) => latency?.p95 ?? null },
      { name: 'p99', colour: 'danger', dash: [2, 3], of: ({ latency }) => latency?.p99 ?? null },
    ],
    words: (_, all) => {
      const last = all.findLast(({ latency }) => latency !== null)
      if (!last) return 'No such call ended.'
      const { p50, p95, p99 } = last.latency!
      return `Half took ${seconds(p50)} at most, 95 of 100 ${seconds(p95)}, 99 of 100 ${seconds(p99)}` +
        `${last === all.at(-1) ? '' : `; that was ${span(all.at(-1)!.time - last.time)} ago, none ended since`}.`
    },
  },
  {
    id: 'streams', title: 'Live streams', about: 'Speakers that are heard live, and recordings that are being heard.', show: short,
    lines: [
      { name: 'live streams', colour: 'accent', of: sample => sample.live_streams },
      { name: 'recordings', colour: 'warn', dash: [6, 4], of: sample => sample.recordings },
    ],
    words: (newest, all) => `${plural(newest.live_streams, 'live stream', 'live streams')} and ${plural(newest.recordings, 'recording', 'recordings')} now; ` +
      `${plural(most(all, sample => sample.live_streams), 'live stream', 'live streams')} at most.`,
  },
  {
    id: 'rtf', title: 'Real-time factor', about: 'Compute time of the engine over the audio it was given: below 1, a core hears faster than one speaks.', show: short,
    lines: [{ name: 'real-time factor', colour: 'accent', of: ({ rtf }) => rtf }],
    words: (_, all) => {
      const last = all.findLast(({ rtf }) => rtf !== null)
      if (!last) return 'Nothing was heard.'
      return `${short(last.rtf!)}; ${span(sum(all, ({ heard }) => heard))} of audio ${reach(all)}.`
    },
  },
  {
    id: 'queue', title: 'Queue', about: 'Calls that wait for their turn, and stretches of recordings that wait for the engine.', show: short,
    lines: [
      { name: 'calls waiting', colour: 'accent', of: sample => sample.calls_waiting },
      { name: 'stretches waiting', colour: 'warn', dash: [6, 4], of: sample => sample.stretches_waiting },
    ],
    words: (newest, all) => `${plural(newest.calls_waiting, 'call waits', 'calls wait')}, ` +
      `${plural(newest.stretches_waiting, 'stretch of a recording waits', 'stretches of recordings wait')} for the engine; ` +
      `${plural(sum(all, ({ refused }) => refused), 'call was', 'calls were')} turned away ${reach(all)}.`,
  },
  {
    id: 'lateness', title: 'Lateness of erasure', about: 'Nothing whose time was over longer ago than this is still there; up to about 5 s when all is well.', show: seconds,
    lines: [
      { name: 'erasure', colour: 'accent', of: sample => sample.erasure_late },
      { name: 'ledger', colour: 'warn', dash: [6, 4], of: sample => sample.ledger_late },
    ],
    words: (newest, all) => `${seconds(newest.erasure_late)} now, ${seconds(most(all, sample => sample.erasure_late))} at most ${reach(all)}; ` +
      `the ledger was told ${seconds(newest.ledger_late)} before the last sample.`,
  },
  {
    id: 'memory', title: 'Memory', about: 'Memory of the process, models included.', show: size,
    lines: [{ name: 'resident', colour: 'accent', of: sample => sample.resident_bytes }],
    words: (newest, all) => `${size(newest.resident_bytes)} now, ${size(most(all, sample => sample.resident_bytes))} at most.`,
  },
]

/** New samples behind those one has, as far back as the service keeps them. What was seen of the process
 * before on the same node is kept: it ends where somebody wants to know what happened. */
export function merged(had: Sample[], before: Watched | null, { samples, keeps, now, process }: Watched): Sample[] {
  const goesOn = before?.process.started === process.started
  const kept = before?.process.node !== process.node ? [] : goesOn ? had : had.filter(({ time }) => time < process.started)
  return [...kept, ...samples].filter(({ time }) => time >= now - keeps)
}
