// Held: what is kept, by class, until when, and forgetting it now.

import { timed, told } from './api'
import { confirmed } from './confirm'
import { consents } from './consents'
import type { Context, Page } from './context'
import { alertBox, button, field, h, replace, select, span, statusLine, when } from './dom'
import { forget, receiptBox, type Erasure } from './forget'
import { retention } from './retention'

interface Item {
  class: 'audio' | 'result' | 'operation_log'
  app_id: number
  task_id?: number
  call_id?: string
  subject?: string
  state?: string
  interface?: string
  result?: string
  created: number
  expires: number
}

const CLASSES = {
  audio: ['Audio', 'Recordings that wait to be transcribed, sealed; removed when their task ends.'],
  result: ['Results', 'Texts of recording tasks, sealed.'],
  operation_log: ['Operation log', 'What was done for calls, in facts without what was said, sealed.'],
} as const
type Class = keyof typeof CLASSES

const SEARCHES: [string, string][] = [
  ['', 'Everything of the application'], ['task_id', 'Task id'], ['call_id', 'Call (RequestId)'],
  ['voice_id', 'Live call (voice_id)'], ['uin', 'Account (Uin)'], ['subject', 'Person (subject)'],
]

/** What was looked for, and how it is called. */
interface Search { by: string, query: Record<string, string>, title: string }
interface Listing { items: Item[], next?: string }

// A task that another page leads here to.
let led = ''
/** The page shows what is held of a task when it is shown next. */
export function lookForTask(id: string): void { led = id }

// How often the list is made anew at most, when things on it come to their end.
const AGAIN_MS = 5_000

class Held {
  private by = ''
  private listed: Search | null = null  // what the list shows
  private shown: Search | null = null   // the same, while the form says so too: what can be forgotten
  private loads = 0     // of which only the last one is shown
  private loaded = 0    // performance.now() when it was
  private clock = { now: Date.now() / 1000, at: performance.now() }  // the service's
  private readonly value = h('input', { type: 'text', maxlength: 200, autocomplete: 'off', spellcheck: 'false' })
  private readonly choice = select(SEARCHES, name => this.choose(name))
  private readonly which = field('Which', this.value)
  private readonly note = statusLine()
  private readonly problem = alertBox()
  private readonly receipts = receiptBox()
  private readonly sections = h('div', {})
  private readonly policies = h('div', {})
  private readonly forgetAll = button('Forget all of it now', () => void this.forgetFound(), 'danger')

  constructor(private readonly context: Context) {
    this.value.addEventListener('input', () => this.changed())
    context.events.addEventListener('application', () => this.refresh())
    setInterval(() => this.tick(), 1000)
  }

  element(): HTMLElement {
    this.choose('')
    return h('section', { 'aria-labelledby': 'held-title' },
      h('h1', { id: 'held-title' }, 'Held'),
      h('p', { class: 'lead' }, 'All that this service keeps of calls, and when it will be gone by itself.'),
      h('form', { class: 'card search', role: 'search', onsubmit: event => { event.preventDefault(); void this.find() } },
        field('Look for', this.choice), this.which,
        h('div', { class: 'bar' }, h('button', { class: 'primary' }, 'Show'), this.forgetAll)),
      this.note, this.problem.element, this.receipts.element, this.sections, this.policies)
  }

  private choose(by: string): void {
    this.by = by
    this.which.hidden = by === ''
    this.changed()
  }

  shownAgain(): void {
    if (led !== '') {
      this.choice.value = 'task_id'
      this.value.value = led
      this.choose('task_id')
      led = ''
    }
    this.refresh()
  }

  // What is listed is no longer what the form says, so it is not what would be forgotten either.
  private changed(): void {
    this.shown = null
    this.forgetAll.disabled = true
  }

  refresh(): void {
    void this.find()
    const { app_id } = this.context.application
    replace(this.policies, retention(app_id), consents(app_id, erasure => this.showReceipts(erasure)))
  }

  private search(): Search | null {
    const value = this.value.value.trim()
    const { app_id, name } = this.context.application
    const { by } = this
    if (by === '') return { by, query: { app_id: String(app_id) }, title: `everything of ${name}` }
    if (value === '') return null
    if (by === 'subject') return { by, query: { subject: value, app_id: String(app_id) }, title: `everything of ${value} in ${name}` }
    const title = by === 'uin' ? `everything of account ${value}, in all of its applications`
      : `${{ task_id: 'task', call_id: 'call', voice_id: 'live call' }[by]} ${value}`
    return { by, query: { [by]: value }, title }
  }

  private async find(): Promise<void> {
    const search = this.search()
    this.changed()
    ++this.loads  // what is still on its way is not wanted any more
    if (search) return this.load(search)
    this.listed = null
    this.note.textContent = ''
    this.sections.replaceChildren()
    this.problem.say('Say which one to look for.')
    this.value.focus()
  }

  private async load(search: Search, quiet = false): Promise<void> {
    const load = ++this.loads
    this.loaded = performance.now()
    if (!quiet) { this.problem.clear(); this.note.textContent = 'Looking …' }
    try {
      const classes = Object.keys(CLASSES) as Class[]
      const pages = await Promise.all(classes.map(name => this.page(name, search)))
      if (load !== this.loads) return
      replace(this.sections, ...classes.map((name, i) => this.section(name, search, pages[i]!)))
      const found = pages.reduce((sum, { items }) => sum + items.length, 0)
      const more = pages.some(({ next }) => next !== undefined)
      const text = found > 0 ? `${found}${more ? ' and more' : ''} held.` : search.by !== 'task_id' ? 'Nothing of it is held.'
        : 'No text and no recording of this task is held. Rows of the operation log may be, for longer than its result: look for those by the call’s RequestId.'
      if (this.note.textContent !== text) this.note.textContent = text
      // Also when nothing is listed: a call of it may be under way.
      const same = JSON.stringify(this.search()) === JSON.stringify(search)
      this.listed = search
      this.shown = same ? search : null
      this.forgetAll.disabled = !same
      this.tick()
    } catch (error) {
      if (load !== this.loads || quiet) return
      this.changed()
      this.listed = null
      this.note.textContent = ''
      this.sections.replaceChildren()
      this.problem.say(told(error))
    }
  }

  private async page(name: Class, { query }: Search, after?: string): Promise<Listing> {
    const all = new URLSearchParams({ class: name, limit: '50', ...query, ...after ? { after } : {} })
    const { answer, now } = await timed<Listing>(`held?${all}`)
    this.clock = { now, at: performance.now() }
    return answer
  }

  private section(name: Class, search: Search, first: Listing): HTMLElement {
    const [title, about] = CLASSES[name]
    // Ids are looked for in all applications.
    const across = search.query['app_id'] === undefined
    const rows = h('tbody', {}, ...first.items.map(item => this.row(item, across)))
    const count = h('span', { class: 'count' }, first.items.length + (first.next ? '+' : ''))
    let next = first.next
    const more = button('Show more', async () => {
      try {
        const page = await this.page(name, search, next)
        rows.append(...page.items.map(item => this.row(item, across)))
        next = page.next
        more.hidden = next === undefined
        this.tick()
      } catch (error) { this.problem.say(told(error)) }
    }, 'quiet')
    more.hidden = next === undefined
    const what = name === 'operation_log' ? 'Call' : 'Task'
    return h('section', { class: 'card', 'aria-labelledby': `held-${name}` },
      h('h2', { id: `held-${name}` }, title, ' ', count), h('p', { class: 'hint' }, about),
      first.items.length > 0 && h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${title}, table` },
        h('table', {}, h('thead', {}, h('tr', {}, ...[what, ...across ? ['AppId'] : [], 'State', 'Since', 'Gone in'].map(text => h('th', { scope: 'col' }, text)),
          h('td', {}))), rows)), more)
  }

  private row(item: Item, across: boolean): HTMLElement {
    const name = item.task_id !== undefined ? String(item.task_id) : item.call_id ?? item.interface ?? 'a call'
    const action: [string, Record<string, string>] | null = item.task_id !== undefined ? [`task ${item.task_id}`, { task_id: String(item.task_id) }]
      : item.call_id ? [`call ${item.call_id}`, { call_id: item.call_id }] : null
    const remove = action && button('Forget', () => void this.forgetOne(...action), 'danger small')
    remove?.setAttribute('aria-label', `Forget ${action![0]}`)
    return h('tr', {},
      h('th', { scope: 'row' }, h('code', {}, name)),
      across && h('td', {}, h('code', {}, String(item.app_id))),
      h('td', {}, [item.state, item.task_id === undefined && item.call_id ? item.interface : '', item.result].filter(Boolean).join(' · ') || '–'),
      h('td', {}, when(item.created)),
      h('td', { class: 'countdown', 'data-expires': item.expires, title: when(item.expires) }),
      h('td', {}, remove))
  }

  private tick(): void {
    const now = this.clock.now + (performance.now() - this.clock.at) / 1000
    let gone = false
    for (const cell of this.sections.querySelectorAll<HTMLElement>('[data-expires]')) {
      const left = Number(cell.dataset['expires']) - now
      cell.textContent = left > 0 ? span(left) : 'now'
      gone ||= left <= 0
    }
    // Not under somebody's hands, nor while nobody looks.
    const free = this.sections.checkVisibility() && !this.sections.contains(document.activeElement) && !document.querySelector('dialog[open]')
    if (gone && free && this.listed && performance.now() - this.loaded > AGAIN_MS) void this.load(this.listed, true)
  }

  private showReceipts(erasure: Erasure): void {
    this.receipts.show([erasure])
    // The button that was pressed goes away.
    this.receipts.element.focus()
    if (this.listed) void this.load(this.listed)
  }

  private async forgetOne(title: string, what: Record<string, string>): Promise<void> {
    if (!await confirmed(`Forget ${title}?`, 'It is removed now and cannot be brought back. A receipt says so.', 'Forget now')) return
    try {
      this.showReceipts(await forget(what))
    } catch (error) { this.problem.say(told(error)) }
  }

  private async forgetFound(): Promise<void> {
    const { shown } = this
    if (!shown) return
    const { app_id } = this.context.application
    if (!await confirmed(`Forget ${shown.title}?`, 'Texts, recordings and the operation log of it are removed now, and calls of it that are under way end. It cannot be undone.', 'Forget it all')) return
    try {
      this.showReceipts(await forget(shown.query, app_id))
    } catch (error) { this.problem.say(told(error)) }
  }
}

export const held: Page = {
  id: 'held', title: 'Held',
  make: context => {
    const page = new Held(context)
    return { element: page.element(), shown: () => page.shownAgain() }
  },
}
