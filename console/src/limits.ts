// What an application may do: its name, calls at a time, and what a month may cost.

import { own, told, type Application } from './api'
import { alertBox, button, field, h, replace, select, statusLine, when } from './dom'

interface Limits extends Application {
  quotas: Record<string, { calls_per_second: number | null, concurrency: number | null }>
  monthly_limit: string | null
  overdue_since: number | null
}

const INTERFACES: [string, string][] = [
  ['sentence', 'SentenceRecognition'], ['recording', 'CreateRecTask'], ['recording_status', 'DescribeTaskStatus'],
  ['flash', 'Flash'], ['realtime', 'Realtime'], ['openai', 'OpenAI transcriptions'],
  ['openai_realtime', 'OpenAI realtime'], ['management', 'Vocabularies and keywords'],
]
const HIGHEST = 1_000_000
const shown = (number: number | null | undefined) => number ?? 'the service’s'

/** A card; `changed` is told when the application is another than before. */
export function limits(appId: number, changed: () => Promise<void>): HTMLElement {
  const note = statusLine()
  const problem = alertBox()
  const title = h('h2', { id: 'limits-title' }, 'Limits')
  const rows = h('tbody', {})
  const owes = h('p', {})
  const number = (label: string) => field(label, h('input', { type: 'number', min: 0, max: HIGHEST, step: 1, placeholder: 'the service’s' }))
  const calls = number('Calls a second'), atOnce = number('At once')
  const input = (of: HTMLElement) => of.querySelector('input')!
  const which = select(INTERFACES, () => fill(), INTERFACES[0]![0])
  const name = h('input', { type: 'text', maxlength: 64, required: true, autocomplete: 'off' })
  const most = h('input', { type: 'text', inputmode: 'decimal', maxlength: 20, autocomplete: 'off', placeholder: 'no limit' })
  const overdue = button('', () => void change({ overdue: now?.overdue_since === null },
    now?.overdue_since === null ? 'Its account owes fees; calls that cost something are refused.' : 'Nothing is owed.'))
  let now: Limits | undefined

  function fill(): void {
    const quota = now?.quotas[which.value]
    input(calls).value = String(quota?.calls_per_second ?? '')
    input(atOnce).value = String(quota?.concurrency ?? '')
  }

  function show(limits: Limits): void {
    now = limits
    title.textContent = `Limits of ${limits.name}`
    const own = INTERFACES.filter(([id]) => limits.quotas[id])
    replace(rows, ...(own.length > 0 ? own : [['', 'Every interface']]).map(([id, text]) => h('tr', {}, h('th', { scope: 'row' }, text!),
      h('td', {}, String(shown(limits.quotas[id!]?.calls_per_second))), h('td', {}, String(shown(limits.quotas[id!]?.concurrency))))))
    fill()
    name.value = limits.name
    most.value = limits.monthly_limit ?? ''
    overdue.textContent = limits.overdue_since === null ? 'Say that it owes fees' : 'Say that all is paid'
    owes.textContent = limits.overdue_since === null ? '' : `Its account (Uin ${limits.uin}) owes fees since ${when(limits.overdue_since)}.`
  }

  async function load(): Promise<void> {
    const { applications } = await own<{ applications: Limits[] }>('GET', 'applications')
    const found = applications.find(each => each.app_id === appId)
    if (!found) return problem.say('The application is not there any more.')
    show(found)
    forms.disabled = false
  }

  function begin(): void {
    load().catch(error => problem.say(told(error), button('Try again', () => { problem.clear(); begin() })))
  }

  async function change(what: object, done: string): Promise<void> {
    problem.clear()
    note.textContent = ''
    try {
      show((await own<{ application: Limits }>('POST', 'applications', { app_id: appId, ...what })).application)
      note.textContent = done
      if ('name' in what) await changed()
    } catch (error) { problem.say(told(error)) }
  }

  const value = (of: HTMLElement) => input(of).value === '' ? null : Number(input(of).value)
  const form = (work: () => void, ...children: HTMLElement[]) =>
    h('form', { class: 'inline', onsubmit: event => { event.preventDefault(); work() } }, ...children)
  // Not before what is set is known: the answer would write over what somebody typed or set meanwhile.
  const forms = h('fieldset', { disabled: true },
    form(() => void change({ quota: { interface: which.value, calls_per_second: value(calls), concurrency: value(atOnce) } },
      `The limits of ${INTERFACES.find(([id]) => id === which.value)![1]} are set.`),
      field('Interface', which), calls, atOnce, h('button', {}, 'Set')),
    form(() => void change({ monthly_limit: most.value.trim() || null },
      most.value.trim() ? `Calls of a month may cost ${most.value.trim()}, and no more.` : 'A month may cost anything.'),
      field('A month may cost', most), h('button', {}, 'Set limit')),
    form(() => void change({ name: name.value.trim() }, 'It has its new name.'), field('New name', name), h('button', {}, 'Rename')),
    owes, overdue)
  begin()
  return h('section', { class: 'card', 'aria-labelledby': 'limits-title' }, title,
    h('p', { class: 'hint' }, 'Where nothing is said the service’s own limits hold (lethe serve --show-config).'),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Limits, table' },
      h('table', {}, h('thead', {}, h('tr', {}, ...['Interface', 'Calls a second', 'At once'].map(text => h('th', { scope: 'col' }, text)))), rows)),
    forms, note, problem.element)
}
