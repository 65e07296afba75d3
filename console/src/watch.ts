// Watch: is it well, what happened in the last hour, what was used and what it costs, how available it was,
// and the ledger.

import { CallError, own, told, token } from './api'
import { Billing } from './billing'
import { ChartCard } from './chart_card'
import type { Context, Page } from './context'
import { alertBox, h, span, when } from './dom'
import { Health } from './health'
import { LedgerCard } from './ledger_card'
import { CHARTS, merged, type Sample, type Watched } from './watch_figures'

const EVERY_MS = 10_000
const AGAIN_MS = 4_000  // when it did not answer

class Watch {
  private readonly health = new Health()
  private readonly charts = CHARTS.map(chart => new ChartCard(chart))
  private readonly updated = h('p', { class: 'hint updated' }, 'Asking …')
  private readonly process = h('p', { class: 'hint' })
  private readonly problem = alertBox()
  private readonly drawings = h('div', { class: 'charts' }, ...this.charts.map(chart => chart.element()))
  private readonly billing: Billing
  private readonly ledger = new LedgerCard()
  private readonly page: HTMLElement
  private samples: Sample[] = []
  private watched: Watched | null = null
  private answered = 0   // performance.now() of the last answer; 0: none yet
  private asked = -Infinity
  private asking = false
  private failed = false
  private endedWith: string | null = null  // the token of a session that is over

  constructor(context: Context) {
    this.billing = new Billing(context)
    this.page = h('section', { 'aria-labelledby': 'watch-title' },
      h('h1', { id: 'watch-title' }, 'Watch'),
      h('p', { class: 'lead' }, 'Whether the service is well, what its last hour was like, what was used, and what proves that it forgets.'),
      this.health.element(), this.problem.element,
      h('section', { 'aria-labelledby': 'hour-title' }, h('h2', { id: 'hour-title' }, 'The last hour'), this.updated, this.process, this.drawings),
      ...this.billing.elements(), this.ledger.element())
    context.events.addEventListener('application', () => { if (this.page.checkVisibility()) void this.billing.refresh() })
    context.events.addEventListener('signed-out', () => { this.endedWith = token.get() })
    const redraw = () => { for (const chart of this.charts) chart.redraw() }
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ['data-theme'] })
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw)
    setInterval(() => this.tick(), 1000)
  }

  element(): HTMLElement { return this.page }

  refresh(): void {
    void this.ask()
    void this.billing.refresh()
    void this.ledger.refresh()
  }

  private showAge(): void {
    if (this.answered === 0) return
    const text = `Updated ${span((performance.now() - this.answered) / 1000)} ago${this.failed ? '; the service does not answer, so this is how it was' : ''}.`
    if (this.updated.textContent !== text) this.updated.textContent = text
  }

  private tick(): void {
    this.showAge()
    const now = performance.now()
    // Nobody is asked while nobody looks, nor for a session that is over.
    if (!this.page.checkVisibility() || document.visibilityState !== 'visible') return
    if (now - this.asked >= (this.failed ? AGAIN_MS : EVERY_MS)) void this.ask()
  }

  private async ask(): Promise<void> {
    if (this.asking || (this.endedWith !== null && this.endedWith === token.get())) return
    this.asking = true
    this.asked = performance.now()
    try {
      const [watched, readyz] = await Promise.all([this.fetch(), this.readyz()])
      this.samples = merged(this.samples, this.watched, watched)
      this.watched = watched
      this.answered = performance.now()
      this.fail(false)
      this.showAge()
      this.health.show(readyz, watched, this.samples)
      this.process.textContent = `Counted by ${watched.process.node}, which was started ${when(watched.process.started)}; when several processes serve one database, each knows itself only.`
      await this.draw()
    } catch (error) {
      // That a session is over is told over the page.
      if (error instanceof CallError && error.status === 401) return
      if (error instanceof CallError && error.status === 0) return this.fail(true)
      this.problem.say(told(error))
    } finally {
      this.asking = false
    }
  }

  // What is new; all, when another process answers than the last time.
  private async fetch(): Promise<Watched> {
    const last = this.samples.at(-1)
    const { watched } = this
    // Those of the process before have numbers of their own.
    if (!watched || !last || last.time < watched.process.started) return own<Watched>('GET', 'watch')
    const news = await own<Watched>('GET', `watch?after=${last.number}`)
    const same = news.process.node === watched.process.node && news.process.started === watched.process.started
    return same ? news : own<Watched>('GET', 'watch')
  }

  private async readyz(): Promise<string> {
    try {
      return await (await fetch('/readyz', { cache: 'no-store' })).text()
    } catch {
      throw new CallError(0, 'unreachable', '')
    }
  }

  private async draw(): Promise<void> {
    try {
      await Promise.all(this.charts.map(chart => chart.show(this.samples)))
      this.problem.clear()
    } catch {
      this.problem.say('What draws the charts could not be fetched: the service does not answer, or it was updated since this page was ' +
        'opened. The figures are there as text; reload the page for the charts.')
    }
  }

  private fail(failed: boolean): void {
    if (failed) this.health.unreachable()
    if (failed && this.answered === 0) this.updated.textContent = 'The service has not answered yet.'
    if (this.failed === failed) return
    this.failed = failed
    this.drawings.classList.toggle('stale', failed)
    // What else is on the page may have changed meanwhile, or was never there.
    if (!failed && this.answered > 0) { void this.billing.refresh(); void this.ledger.refresh() }
    this.tick()
  }
}

export const watch: Page = {
  id: 'watch', title: 'Watch',
  make: context => {
    const page = new Watch(context)
    return { element: page.element(), shown: () => page.refresh() }
  },
}
