// How available the service was in a month, under three definitions, in words and with the figures they are
// computed from (docs/metering.md).

import { h, span } from './dom'

interface Calls { succeeded: number, server_faults: number, caller_faults: number }
interface Availability { percent: string, target_met: boolean, credit_percent: number, credit: string }
interface Percentiles { p50: number, p95: number, p99: number }
export interface ServiceLevel {
  month: string
  utc_offset: string
  over: boolean
  complete: boolean
  calls: Calls
  excluded_calls: number
  fee: string
  currency: string
  minutes: number
  unavailable_minutes: number
  intervals: number
  troubled_intervals: number
  availability: { minute_rule: Availability, five_minutes: Availability, requests: Availability }
  interfaces: { interface: string, calls: Calls, time_ms: Percentiles | null, beyond_audio_ms: Percentiles | null }[]
  erasure_lateness_ms: number | null
  not_seen: string
}

const count = (n: number) => n.toLocaleString('en')

function definition(title: string, { percent, target_met, credit_percent, credit }: Availability, currency: string, words: string, figures: string): HTMLElement {
  return h('li', { class: 'definition' },
    h('h3', {}, title), h('p', { class: 'figure' }, h('strong', {}, `${percent} %`), target_met ? ': the target of 99.9 % is met, no credit.'
      : `: the target of 99.9 % is missed; credit of ${credit_percent} % of the fee, ${credit} ${currency}.`),
    h('p', {}, words), h('p', { class: 'hint' }, figures))
}

const times = (of: Percentiles | null) => of ? `${count(of.p50)} / ${count(of.p95)} / ${count(of.p99)}` : '–'

export function serviceLevel(level: ServiceLevel, warning: string): HTMLElement[] {
  const { availability, currency, calls } = level
  const counted = calls.succeeded + calls.server_faults
  return [
    h('p', { class: 'figure' }, `${level.month} at ${level.utc_offset}: ${count(calls.succeeded)} calls succeeded, ${count(calls.server_faults)} failed by the service’s fault, ` +
      `${count(calls.caller_faults)} otherwise. Fee ${level.fee} ${currency}.`),
    ...warning === '' ? [] : [h('p', { class: 'hint' }, `${warning}${level.over ? '' : ' Minutes to come are counted as available.'}`)],
    h('ul', { class: 'plain definitions' },
      definition('Minute rule', availability.minute_rule, currency,
        '1 − unavailable minutes ÷ minutes of the month. A minute is unavailable when calls ended in it and every one was a fault of the service; one success, one fault of a caller, or no call makes it available. The contract’s.',
        `1 − ${count(level.unavailable_minutes)} ÷ ${count(level.minutes)}.`),
      definition('Five minutes', availability.five_minutes, currency,
        'The mean, over all intervals of five minutes of the month, of 1 − faults of the service ÷ calls; an interval without calls is 1. Intervals begin at midnight of the first day. As Amazon’s agreement has it for Transcribe.',
        `${count(level.troubled_intervals)} of ${count(level.intervals)} intervals had faults; what share of their calls failed, lethe bill --calls lists call by call.`),
      definition('Requests', availability.requests, currency,
        'Calls that succeeded ÷ (those and the ones that failed by the service’s fault), of the whole month; 1 without any. Quiet hours do not dilute it. Ours, the strictest.',
        counted === 0 ? 'No call that counts, so 1.' : `${count(calls.succeeded)} ÷ (${count(calls.succeeded)} + ${count(calls.server_faults)}).`)),
    h('h3', {}, 'By interface'),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Service levels by interface, table' },
      h('table', { class: 'numbers' }, h('thead', {}, h('tr', {}, ...['Interface', 'Succeeded', 'Service’s faults', 'Callers’ faults', 'Time p50 / p95 / p99 (ms)', 'Beyond audio (ms)']
        .map(text => h('th', { scope: 'col' }, text)))),
      h('tbody', {}, ...level.interfaces.map(each => h('tr', {}, h('th', { scope: 'row' }, each.interface),
        ...[count(each.calls.succeeded), count(each.calls.server_faults), count(each.calls.caller_faults), times(each.time_ms), times(each.beyond_audio_ms)]
          .map(text => h('td', {}, text))))))),
    h('details', {}, h('summary', {}, 'What is counted, and how'),
      h('ul', { class: 'notes' }, ...[
        'A call counts in the minute in which it ended: that is when its caller was answered, or when an outage broke it.',
        'A fault of the service: its result says so (InternalError, 5xx, negative codes), or it was refused because the service was stopping, starting or full. Everything else is the caller’s: a wrong request, bad audio, limits of their own, a client that left, a call that was erased on request.',
        'Shares are computed as fractions and rounded down to a billionth: what is below 99.9 % is never shown as 99.9 %.',
        'Credit, for each definition by itself: below 99.9 % 10 %, below 99 % 20 %, below 95 % 50 % of the month’s fee, and never more than that fee.',
        `Left out as announced maintenance: ${count(level.excluded_calls)} calls here. lethe sla --exclude leaves out what was announced.`,
        'Times are of calls that succeeded: of the whole call, and of what it took beyond its audio. Nearest rank; exact to the millisecond below a minute.',
        level.erasure_lateness_ms === null ? 'Lateness of erasure is not in rows of calls; lethe ledger verify tells it, for ever.' : `The latest erasure was ${span(level.erasure_lateness_ms / 1000)} late.`,
        `Not seen: ${level.not_seen}. A service that is down looks like one that nobody asks.`,
      ].map(text => h('li', {}, text)))),
  ]
}
