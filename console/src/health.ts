// What is wrong with the service, in plain words: what /readyz says, and what the last minutes show, by the
// limits of operations/prometheus/alerts.yml. Each has a section of the runbook, docs/operations.md.

import { h, replace, size, span } from './dom'
import { ended, faults, percent, plural, sum, type Sample, type Watched } from './watch_figures'

export interface Problem { text: string, section: string, critical: boolean }

const late = (name: string, seconds: number): Problem => name === 'epoch_keys'
  ? { text: `Keys of hours that are over were not destroyed for ${span(seconds)}.`, section: 'LetheKeyDestructionLate', critical: true }
  : { text: `What is over may still be there, though nobody can read it here: ${name.replaceAll('_', ' ')} were not swept clean for ${span(seconds)}.`, section: 'LetheErasureLate', critical: true }

/** What /readyz says. */
function readiness(text: string): Problem[] {
  return text.split('\n').flatMap((line): Problem[] => {
    if (line === 'ready' || line === '') return []
    if (line === 'stopping') return [{ text: 'The service is stopping: it takes no new calls.', section: 'LetheRestarting', critical: true }]
    if (line === 'no engine') return [{ text: 'No speech model is there, so nobody is served.', section: 'LetheDown', critical: true }]
    const [, name, seconds] = /^late: (\w+), not swept clean for (\d+) s$/.exec(line) ?? []
    return [name ? late(name, Number(seconds)) : { text: `The service says: ${line}.`, section: 'At three in the morning', critical: true }]
  })
}

/** What its last samples show. */
function figures({ state, now }: Watched, all: Sample[]): Problem[] {
  const problems: Problem[] = []
  const found = (critical: boolean, section: string, text: string) => problems.push({ text, section, critical })
  const since = (minutes: number) => all.filter(({ time }) => time > now - minutes * 60)
  if (state.held) found(true, 'LetheRetentionHeld', 'The clock leapt ahead. What is over by the new time is destroyed ten minutes after the leap, unless the clock is put right before.')
  if (state.clock_behind > 60) found(false, 'LetheClockBehind', `The machine’s clock is ${span(state.clock_behind)} behind the latest time that the service has seen. What is stored is forgotten in time; the ledger’s dates are ahead.`)
  const newest = all.at(-1)
  if (newest && newest.ledger_late > 300) found(true, 'LetheLedgerBehind', `What is stored and erased was not told to the ledger for ${span(newest.ledger_late)}.`)
  const lost = sum(since(15), ({ rows_lost }) => rows_lost)
  if (lost > 0) found(true, 'LetheUsageRowsLost', `${plural(lost, 'call was', 'calls were')} answered whose usage could not be written down.`)
  const calls = sum(since(5), ended), failed = sum(since(5), faults)
  if (calls > 0 && failed / calls > 0.05) found(true, 'LetheErrors', `${percent(100 * failed / calls)} of the calls of the last five minutes failed by the service’s own fault.`)
  const timed = since(10).flatMap(({ latency }) => latency ?? [])
  if (timed.length > 2 && timed.every(({ p95 }) => p95 > 10)) found(false, 'LetheSlow', 'One of twenty calls has taken more than ten seconds for ten minutes.')
  const refused = sum(since(5), each => each.refused)
  if (refused > 0) found(false, 'LetheRefusing', `${plural(refused, 'call was', 'calls were')} turned away in the last five minutes, because too many of their application waited.`)
  if (state.disk_size && state.disk_free !== null && state.disk_free / state.disk_size < 0.1) {
    found(true, 'LetheDiskFilling', `Only ${size(state.disk_free)} of the disk with the records are free.`)
  }
  if (state.memory_limit > 0 && state.resident_bytes / state.memory_limit > 0.9) {
    found(false, 'LetheMemoryHigh', `The process has ${size(state.resident_bytes)} of the ${size(state.memory_limit)} it may have.`)
  }
  return problems
}

export class Health {
  private readonly said = h('div', { role: 'status' })
  private shown = ''

  element(): HTMLElement {
    return h('section', { class: 'card', 'aria-labelledby': 'health-title' }, h('h2', { id: 'health-title' }, 'Is it well?'), this.said)
  }

  show(readyz: string, watched: Watched, all: Sample[]): void {
    this.tell([...readiness(readyz), ...figures(watched, all)], 'Ready. Nothing is wrong that can be seen from here.')
  }

  unreachable(): void {
    this.tell([{ text: 'The service does not answer. Nobody is served, and nothing is forgotten while it is down.', section: 'LetheDown', critical: true }], '')
  }

  // Said again only when it is something else.
  private tell(problems: Problem[], well: string): void {
    const all = JSON.stringify(problems)
    if (all === this.shown) return
    this.shown = all
    replace(this.said, problems.length === 0 ? h('p', { class: 'well' }, well)
      : h('ul', { class: 'plain problems' }, ...problems.map(({ text, section, critical }) => h('li', { class: critical ? 'alert' : 'alert mild' },
        h('p', {}, h('strong', {}, critical ? 'Critical: ' : 'Warning: '), text),
        h('p', { class: 'hint' }, 'What to do: ', h('code', {}, 'docs/operations.md'), ', section ', h('strong', {}, section), '.')))))
  }
}
