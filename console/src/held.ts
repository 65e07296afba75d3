// Held: what is kept, by class, until when, and forgetting it now.

import { own, told } from './api'
import { confirmed } from './confirm'
import { consents } from './consents'
import type { Context, Page } from './context'
import { alertBox, button, field, h, replace, select, span, statusLine, when } from './dom'
import { forget, receiptList } from './forget'
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

class Held {
  private by = ''
  private readonly value = h('input', { type: 'text', maxlength: 200, autocomplete: 'off', spellcheck: 'false' })
  private readonly note = statusLine()
  private readonly problem = alertBox()
  private readonly receipts = h('div', {})
  private readonly sections = h('div', {})
  private readonly policies = h('div', {})
  private readonly forgetAll = button('Forget all of it now', () => void this.forgetFound(), 'danger')

  constructor(private readonly context: Context) {
    context.events.addEventListener('application', () => this.refresh())
    setInterval(() => this.tick(), 1000)
  }

  element(): HTMLElement {
    const valueField = field('Which', this.value)
    valueField.hidden = true
    const by = select(SEARCHES, name => {
      this.by = name
      valueField.hidden = name === ''
    })
    return h('section', { 'aria-labelledby': 'held-title' },
      h('h1', { id: 'held-title' }, 'Held'),
      h('p', { class: 'lead' }, 'All that this service keeps of calls, and when it will be gone by itself.'),
      h('form', { class: 'card search', role: 'search', onsubmit: event => { event.preventDefault(); void this.load() } },
        field('Look for', by), valueField,
        h('div', { class: 'bar' }, h('button', { class: 'primary' }, 'Show'), this.forgetAll)),
      this.note, this.problem.element, this.receipts, this.sections, this.policies)
  }

  refresh(): void {
    void this.load()
    const { app_id } = this.context.application
    replace(this.policies, retention(app_id), consents(app_id, erasure => this.showReceipts(erasure)))
  }

  private query(): Record<string, string> | null {
    const value = this.value.value.trim()
    if (this.by === '') return { app_id: String(this.context.application.app_id) }
    if (value === '') return null
    return this.by === 'subject' ? { subject: value, app_id: String(this.context.application.app_id) } : { [this.by]: value }
  }

  private async load(): Promise<void> {
    this.problem.clear()
    const query = this.query()
    if (!query) { this.problem.say('Say which one to look for.'); return this.value.focus() }
    this.note.textContent = 'Looking …'
    try {
      const classes = Object.keys(CLASSES) as Class[]
      const pages = await Promise.all(classes.map(name => this.page(name, query)))
      replace(this.sections, ...classes.map((name, i) => this.section(name, query, pages[i]!)))
      const found = pages.reduce((sum, { items }) => sum + items.length, 0)
      const more = pages.some(({ next }) => next !== undefined)
      this.note.textContent = found === 0 ? 'Nothing of it is held.' : `${found}${more ? ' and more' : ''} held.`
      this.forgetAll.disabled = found === 0
      this.tick()
    } catch (error) {
      this.note.textContent = ''
      this.problem.say(told(error))
    }
  }

  private page(name: Class, query: Record<string, string>, after?: string) {
    const all = new URLSearchParams({ class: name, limit: '50', ...query, ...after ? { after } : {} })
    return own<{ items: Item[], next?: string }>('GET', `held?${all}`)
  }

  private section(name: Class, query: Record<string, string>, first: { items: Item[], next?: string }): HTMLElement {
    const [title, about] = CLASSES[name]
    const rows = h('tbody', {}, ...first.items.map(item => this.row(item)))
    const count = h('span', { class: 'count' }, first.items.length + (first.next ? '+' : ''))
    let next = first.next
    const more = button('Show more', async () => {
      try {
        const page = await this.page(name, query, next)
        rows.append(...page.items.map(item => this.row(item)))
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
        h('table', {}, h('thead', {}, h('tr', {}, ...[what, 'State', 'Since', 'Gone in'].map(text => h('th', { scope: 'col' }, text)),
          h('td', {}))), rows)), more)
  }

  private row(item: Item): HTMLElement {
    const name = item.task_id !== undefined ? String(item.task_id) : item.call_id ?? item.interface ?? 'a call'
    const action: [string, Record<string, string>] | null = item.task_id !== undefined ? [`task ${item.task_id}`, { task_id: String(item.task_id) }]
      : item.call_id ? [`call ${item.call_id}`, { call_id: item.call_id }] : null
    return h('tr', {},
      h('th', { scope: 'row' }, h('code', {}, name)),
      h('td', {}, [item.state, item.task_id === undefined && item.call_id ? item.interface : '', item.result].filter(Boolean).join(' · ') || '–'),
      h('td', {}, when(item.created)),
      h('td', { class: 'countdown', 'data-expires': item.expires, title: when(item.expires) }),
      h('td', {}, action && button('Forget', () => void this.forgetOne(...action), 'danger small')))
  }

  private tick(): void {
    const now = Date.now() / 1000
    for (const cell of this.sections.querySelectorAll<HTMLElement>('[data-expires]')) {
      const left = Number(cell.dataset['expires']) - now
      cell.textContent = left > 0 ? span(left) : 'now'
    }
  }

  private showReceipts(erasure: Parameters<typeof receiptList>[0][number]): void {
    replace(this.receipts, receiptList([erasure]))
    void this.load()
  }

  private async forgetOne(title: string, what: Record<string, string>): Promise<void> {
    if (!await confirmed(`Forget ${title}?`, 'It is removed now and cannot be brought back. A receipt says so.', 'Forget now')) return
    try {
      this.showReceipts(await forget(what))
    } catch (error) { this.problem.say(told(error)) }
  }

  private async forgetFound(): Promise<void> {
    const query = this.query()
    if (!query) return this.problem.say('Say which one to look for.')
    const { name } = this.context.application
    const whose = this.by === '' ? `everything of ${name}` : `all that this finds`
    if (!await confirmed(`Forget ${whose}?`, 'Texts, recordings and the operation log of it are removed now, and calls of it that are under way end. It cannot be undone.', 'Forget it all')) return
    try {
      this.showReceipts(await forget(query, this.context.application.app_id))
    } catch (error) { this.problem.say(told(error)) }
  }
}

export const held: Page = {
  id: 'held', title: 'Held',
  make: context => {
    const page = new Held(context)
    return { element: page.element(), shown: () => page.refresh() }
  },
}
