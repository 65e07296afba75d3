// How long an application's things are held, and holding them shorter.

import { own, told } from './api'
import { alertBox, button, h, replace, select, span, statusLine } from './dom'

interface Periods { periods: Record<string, { seconds: number, longest: number }> }
const UNITS: [string, string][] = [['1', 'seconds'], ['60', 'minutes'], ['3600', 'hours'], ['86400', 'days']]
const said = (seconds: number) => seconds === 0 ? 'not at all' : span(seconds)

export function retention(appId: number): HTMLElement {
  const rows = h('ul', { class: 'plain periods' })
  const note = statusLine()
  const problem = alertBox()
  const show = ({ periods }: Periods) => replace(rows, ...Object.entries(periods).map(([name, period]) => row(name, period)))

  function row(name: string, { seconds, longest }: { seconds: number, longest: number }): HTMLElement {
    const title = name.replaceAll('_', ' ')
    const amount = h('input', { type: 'number', min: 0, max: longest, step: 1, required: true, 'aria-label': `Hold ${title} for at most` })
    const unit = select(UNITS, () => {}, '3600')
    unit.setAttribute('aria-label', `Unit for ${title}`)
    const form = h('form', { class: 'inline', onsubmit: event => { event.preventDefault(); void shorten(name, Number(amount.value) * Number(unit.value)) } },
      amount, unit, h('button', {}, 'Shorten'))
    return h('li', {}, h('div', {}, h('strong', {}, title), `: held ${said(seconds)}`,
      seconds < longest && ` (the agreement allows ${said(longest)})`), form)
  }

  async function shorten(name: string, seconds: number): Promise<void> {
    problem.clear()
    note.textContent = ''
    try {
      show(await own<Periods>('POST', 'retention', { app_id: appId, class: name, seconds }))
      note.textContent = `From now on ${name.replaceAll('_', ' ')} is held ${said(seconds)}; what is there already, too.`
    } catch (error) { problem.say(told(error)) }
  }

  void own<Periods>('GET', `retention?app_id=${appId}`).then(show, error => problem.say(told(error), button('Try again', () => element.replaceWith(retention(appId)))))
  const element = h('section', { class: 'card', 'aria-labelledby': 'retention-title' },
    h('h2', { id: 'retention-title' }, 'How long'), h('p', { class: 'hint' }, 'A period can be made shorter, never longer again than the agreement has it.'),
    rows, note, problem.element)
  return element
}
