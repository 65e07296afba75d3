// What the chosen application used in a month, what that costs, and how available the service was for it.

import { own, told } from './api'
import type { Context } from './context'
import { alertBox, button, field, h, replace, select, span } from './dom'
import { serviceLevel, type ServiceLevel } from './service_level'

interface DayUsage { day: string, interface: string, calls: number, failed: number, seconds: number }
interface Usage { from: string, to: string, utc_offset: string, days: DayUsage[] }
interface BillLine {
  interface: string
  first: string
  last: string
  calls: number
  failed: number
  seconds: number
  priced: boolean
  unit?: 'hour' | 'thousand_calls'
  free?: number
  charged?: number
  tier?: number
  price?: string
  fee: string
}
interface Bill {
  month: string
  utc_offset: string
  over: boolean
  complete: boolean
  prices: string
  currency: string
  total: string
  provisional: string
  lines: BillLine[]
}

const MONTHS = 3  // that rows of 59 days may lie in
const count = (n: number) => n.toLocaleString('en')

/** "2026-11" and so many months before. */
function monthBefore(month: string, back: number): string {
  const [year, number] = month.split('-').map(Number)
  return new Date(Date.UTC(year!, number! - 1 - back, 1)).toISOString().slice(0, 7)
}

function lastDay(month: string): string {
  const [year, number] = month.split('-').map(Number)
  return new Date(Date.UTC(year!, number!, 0)).toISOString().slice(0, 10)
}

function table(label: string, columns: string[], rows: HTMLElement[]): HTMLElement {
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h('table', { class: 'numbers' }, h('thead', {}, h('tr', {}, ...columns.map(text => h('th', { scope: 'col' }, text)))), h('tbody', {}, ...rows)))
}

const row = (head: string, ...cells: string[]) => h('tr', {}, h('th', { scope: 'row' }, head), ...cells.map(text => h('td', {}, text)))

/** What a month that is not over, or not all there any more, has to say. */
export function monthWarning({ over, complete }: { over: boolean, complete: boolean }): string {
  if (!complete) return 'Incomplete: calls are kept for two months, and some of this one are forgotten.'
  return over ? '' : 'This month is not over: what is to come may change every figure.'
}

function volume(line: BillLine, amount = 0): string {
  return line.unit === 'hour' ? span(amount) : `${count(amount)} calls`
}

export class Billing {
  private readonly problem = alertBox()
  private readonly months = select([], () => void this.load())
  private readonly of = h('span', {})
  private readonly usage = h('div', {})
  private readonly fees = h('div', {})
  private readonly level = h('div', {})
  private current = ''   // the month it is at the service
  private loads = 0      // of which only the last is shown
  private shownOf = 0    // application

  constructor(private readonly context: Context) {}

  elements(): HTMLElement[] {
    return [
      h('section', { class: 'card', 'aria-labelledby': 'usage-title' },
        h('h2', { id: 'usage-title' }, 'Usage and fees of ', this.of),
        h('div', { class: 'inline' }, field('Month', this.months)), this.problem.element, this.usage, this.fees),
      h('section', { class: 'card', 'aria-labelledby': 'level-title' }, h('h2', { id: 'level-title' }, 'Service levels'), this.level),
    ]
  }

  async refresh(): Promise<void> {
    const { app_id, name } = this.context.application
    this.of.textContent = name
    if (this.shownOf !== app_id) for (const each of [this.usage, this.fees, this.level]) each.replaceChildren()
    this.shownOf = app_id
    try {
      // Without days it is this month, as the service's calendar has it.
      const { from } = await own<Usage>('GET', `usage?app_id=${app_id}`)
      this.offer(from.slice(0, 7))
    } catch (error) { return this.fail(error) }
    await this.load()
  }

  private offer(month: string): void {
    if (month === this.current) return
    this.current = month
    replace(this.months, ...Array.from({ length: MONTHS }, (_, back) => monthBefore(month, back))
      .map(each => h('option', { value: each }, each === month ? `${each}, so far` : each)))
  }

  private async load(): Promise<void> {
    const load = ++this.loads
    const month = this.months.value
    const of = `app_id=${this.context.application.app_id}`
    try {
      const [usage, bill, level] = await Promise.all([
        own<Usage>('GET', `usage?${of}&from=${month}-01&to=${lastDay(month)}`),
        own<Bill>('GET', `bill?${of}&month=${month}`), own<ServiceLevel>('GET', `sla?${of}&month=${month}`)])
      if (load !== this.loads) return
      this.problem.clear()
      replace(this.usage, ...this.showUsage(usage))
      replace(this.fees, ...this.showBill(bill))
      replace(this.level, ...serviceLevel(level, monthWarning(level)))
    } catch (error) {
      if (load === this.loads) this.fail(error)
    }
  }

  private fail(error: unknown): void {
    this.problem.say(told(error), button('Try again', () => void this.refresh()))
  }

  private showUsage({ days, utc_offset }: Usage): HTMLElement[] {
    const calls = days.reduce((sum, day) => sum + day.calls, 0), seconds = days.reduce((sum, day) => sum + day.seconds, 0)
    if (days.length === 0) return [h('p', { class: 'figure' }, 'Nothing was used.')]
    return [
      h('p', { class: 'figure' }, `${count(calls)} calls succeeded, with ${span(seconds)} of audio.`),
      h('h3', {}, 'By day'),
      table('Usage by day, table', ['Day', 'Interface', 'Calls', 'Failed', 'Audio'],
        days.map(day => row(day.day, day.interface, count(day.calls), count(day.failed), span(day.seconds)))),
      h('p', { class: 'hint' }, `A day is that of a call’s end, at ${utc_offset}. Failed calls cost nothing.`),
    ]
  }

  private showBill(bill: Bill): (HTMLElement | false)[] {
    const { currency, lines } = bill
    const warning = monthWarning(bill)
    const price = (line: BillLine) => line.priced ? `${line.price} ${line.unit === 'hour' ? 'an hour' : 'per 1,000 calls'}` : 'no price'
    return [
      h('h3', {}, 'Fees'),
      h('p', { class: 'figure' }, 'Total ', h('strong', { class: 'total' }, `${bill.total} ${currency}`), ` for ${bill.month} (${bill.provisional} as estimated while the calls ended).`),
      warning !== '' && h('p', { class: 'hint' }, warning),
      lines.length > 0 && table('Fees, table', ['Period', 'Interface', 'Calls', 'Free', 'Charged', 'Tier', 'Price', 'Fee'],
        lines.map(line => row(line.first === line.last ? line.first : `${line.first} to ${line.last}`, line.interface, count(line.calls),
          line.priced ? volume(line, line.free) : '–', line.priced ? volume(line, line.charged) : '–', line.priced ? String(line.tier) : '–', price(line), line.fee))),
      h('p', { class: 'hint' }, `Prices: ${bill.prices}. All of a period’s usage has the price of the tier that it reaches; each line is rounded once, to the millionth, and the total is their sum.`),
    ].filter(each => each !== false)
  }
}
