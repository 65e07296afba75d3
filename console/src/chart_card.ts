// A chart of the page Watch, and the same as text: the newest figures in words, and a table.

import { h, replace } from './dom'
import type { Plot } from './charts'
import type { Chart, Line, Sample } from './watch_figures'

declare const CHARTS_SCRIPT: string
type Charts = typeof import('./charts')

let charts: Promise<Charts> | null = null
// Fetched with the first chart, and again if that failed.
const fetched = () => charts ??= (import(new URL(CHARTS_SCRIPT, document.baseURI).href) as Promise<Charts>).catch(error => { charts = null; throw error })

const clock = (unixSeconds: number) => new Date(unixSeconds * 1000).toLocaleTimeString(undefined, { timeStyle: 'medium' })

export class ChartCard {
  private readonly words = h('p', { class: 'figure' }, 'No figures yet.')
  private readonly drawing = h('div', { class: 'chart', 'aria-hidden': 'true' })
  private readonly point = h('p', { class: 'hint point', 'aria-hidden': 'true' })
  private readonly rows = h('tbody', {})
  private readonly table: HTMLDetailsElement
  private all: Sample[] = []
  private plot: Plot | null = null
  private drawn = false

  constructor(private readonly chart: Chart) {
    const columns = ['Time', ...chart.lines.map(({ name }) => name)]
    this.table = h('details', { ontoggle: () => this.fill() },
      h('summary', {}, 'As a table'),
      h('div', { class: 'scroll rows-of-chart', tabindex: 0, role: 'region', 'aria-label': `${chart.title}, table` },
        h('table', {}, h('thead', {}, h('tr', {}, ...columns.map(text => h('th', { scope: 'col' }, text)))), this.rows)))
  }

  element(): HTMLElement {
    const { id, title, about, lines } = this.chart
    return h('section', { class: 'card chart-card', 'aria-labelledby': `chart-${id}`, id: `chart-card-${id}` },
      h('h3', { id: `chart-${id}` }, title), this.words,
      lines.length > 1 && h('ul', { class: 'plain legend', 'aria-hidden': 'true' }, ...lines.map(line => this.key(line))),
      this.drawing, this.point, h('p', { class: 'hint' }, about), this.table)
  }

  private key({ name, colour, dash }: Line): HTMLElement {
    return h('li', {}, h('span', { class: `stroke ${colour}${dash ? ' dashed' : ''}` }), name)
  }

  /** Errors: when what draws cannot be fetched; the text is there all the same. */
  async show(all: Sample[]): Promise<void> {
    this.all = all
    const newest = all.at(-1)
    this.words.textContent = newest ? this.chart.words(newest, all) : 'No figures yet: the first come ten seconds after the start.'
    this.fill()
    if (!newest) return
    if (!this.drawn) {
      this.drawn = true
      try {
        const { Plot } = await fetched()
        this.plot = new Plot(this.drawing, this.chart, time => this.pointAt(time))
      } catch (error) {
        this.drawn = false
        throw error
      }
    }
    this.plot?.show(this.all)
  }

  redraw(): void { this.plot?.redraw() }

  private value(line: Line, sample: Sample): string {
    const value = line.of(sample)
    return value === null ? '–' : this.chart.show(value)
  }

  private pointAt(time: number | null): void {
    const sample = time === null ? undefined : this.all.find(each => each.time === time)
    this.point.textContent = sample ? `${clock(sample.time)}: ${this.chart.lines.map(line => `${line.name} ${this.value(line, sample)}`).join(', ')}` : ''
  }

  // Newest first; made only while somebody looks.
  private fill(): void {
    if (!this.table.open) return this.rows.replaceChildren()
    replace(this.rows, ...this.all.toReversed().map(sample => h('tr', {}, h('th', { scope: 'row' }, clock(sample.time)),
      ...this.chart.lines.map(line => h('td', {}, this.value(line, sample))))))
  }
}
