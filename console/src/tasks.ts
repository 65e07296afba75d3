// Tasks: recordings that are transcribed while nobody waits, how far they are, and what can be done about them.

import { own, timed, told } from './api'
import { confirmed } from './confirm'
import type { Context, Page } from './context'
import { alertBox, button, field, h, replace, select, statusLine, when } from './dom'
import { lookForTask } from './held'

type State = 'waiting' | 'running' | 'success' | 'failed'
type Action = 'cancel' | 'retry' | 'call_back'

interface Callback {
  host: string
  state: 'waiting' | 'pending' | 'delivered' | 'given_up'
  attempts: number
  error?: string
  last?: number
  next?: number
}

interface Task {
  task_id: number
  state: State
  engine: string
  source: 'url' | 'upload'
  created: number
  started?: number
  ended?: number
  expires: number
  audio_seconds?: number
  progress?: { done_seconds: number, total_seconds?: number }
  error?: { code: string, message: string }
  callback?: Callback
  actions: Action[]
}

interface Listing { tasks: Task[], next?: string }

const STATES: [State | '', string][] = [
  ['', 'Any state'], ['waiting', 'Waiting'], ['running', 'Running'], ['success', 'Done'], ['failed', 'Failed'],
]
const PAGE = 50, MOST = 200
const AGAIN_MS = 2_000
// Nobody is there any more: looking on would keep a session that should be over.
const IDLE_MS = 15 * 60_000

const sentence = (text: string) => /[.!?]$/.test(text) ? text : `${text}.`
const seconds = (n: number) => n < 60 ? `${n.toFixed(n < 10 ? 1 : 0)} s` : `${Math.floor(n / 60)} min ${String(Math.floor(n % 60)).padStart(2, '0')} s`
const times = (n: number) => `${n} ${n === 1 ? 'attempt' : 'attempts'}`
const isUnderWay = ({ state, callback }: Task) => state === 'waiting' || state === 'running' || callback?.state === 'pending'
const wordFor = ({ state, error }: Task) => state === 'success' ? 'done' : error?.code === 'cancelled' ? 'cancelled' : state

function toldOf(callback: Callback): string {
  const { host, state, attempts, error, last, next } = callback
  const to = `Callback to ${host || 'its receiver'}`
  if (state === 'waiting') return `${to}: when the task ends.`
  if (state === 'delivered') return `${to}: delivered with ${times(attempts)}${last ? `, ${when(last)}` : ''}.`
  const vain = `${times(attempts)}${error ? `, the last in vain: ${sentence(error)}` : '.'}`
  if (state === 'given_up') return attempts === 0 ? `${to}: not made: ${sentence(error ?? 'nobody may be told')}` : `${to}: given up after ${vain}`
  if (attempts === 0) return `${to}: being made.`
  return `${to}: ${vain} ${next ? `Tried again at ${when(next)}.` : 'Being made again.'}`
}

// One task of the list. It changes in place, under the hands and eyes of whoever is at it.
class Entry {
  readonly element: HTMLElement
  private readonly badge = h('span', { class: 'state' })
  private readonly bar: HTMLProgressElement
  private readonly facts = h('p', { class: 'hint' })
  private readonly lines = h('div', {})
  private readonly buttons = h('div', { class: 'bar' })
  private readonly link: HTMLElement
  private shown = ''  // the actions there are buttons for

  constructor(private readonly id: number, private readonly act: (id: number, action: Action) => Promise<void>) {
    this.bar = h('progress', { 'aria-label': `Progress of task ${id}` })
    this.link = h('a', { href: '#/held', onclick: () => lookForTask(String(id)) }, 'What is held',
      h('span', { class: 'hidden' }, ` of task ${id}`))
    this.element = h('li', { class: 'card task', tabindex: -1, 'aria-labelledby': `task-${id}` },
      h('div', { class: 'head' }, h('h2', { id: `task-${id}` }, 'Task ', h('code', {}, String(id))), this.badge),
      this.bar, this.facts, this.lines, this.buttons)
  }

  update(task: Task): void {
    this.badge.textContent = wordFor(task)
    this.badge.className = `state ${wordFor(task)}`
    const { progress, audio_seconds, error, callback } = task
    const total = progress?.total_seconds
    this.bar.hidden = !progress || !total
    if (progress && total) { this.bar.max = total; this.bar.value = Math.min(progress.done_seconds, total) }
    const far = !progress ? '' : total ? `${seconds(progress.done_seconds)} of ${seconds(total)} (${Math.min(100, Math.floor(100 * progress.done_seconds / total))} %)`
      : `${seconds(progress.done_seconds)} so far`
    this.set(this.facts, [
      far, !progress && audio_seconds !== undefined ? `${seconds(audio_seconds)} of audio` : '',
      task.source === 'url' ? 'fetched from a URL' : 'uploaded', task.engine,
      `asked for ${when(task.created)}`, task.ended ? `ended ${when(task.ended)}` : task.started ? `taken up ${when(task.started)}` : '',
      `held until ${when(task.expires)} at most`].filter(Boolean).join(' · '))
    const lines = [error && `${sentence(error.message)} (${error.code})`, callback && toldOf(callback)].filter(line => line !== undefined)
    if (this.lines.dataset['lines'] !== JSON.stringify(lines)) {
      this.lines.dataset['lines'] = JSON.stringify(lines)
      replace(this.lines, ...lines.map(line => h('p', {}, line)))
    }
    this.offer(task.actions)
  }

  private set(element: HTMLElement, text: string): void {
    if (element.textContent !== text) element.textContent = text
  }

  private offer(actions: Action[]): void {
    if (this.shown === actions.join()) return
    const focused = this.buttons.contains(document.activeElement)
    this.shown = actions.join()
    const names = { cancel: 'Cancel', retry: 'Retry', call_back: 'Call back again' }
    replace(this.buttons, ...actions.map(action => {
      const made = button(names[action], async () => {
        made.disabled = true
        await this.act(this.id, action)
        made.disabled = false
        // Whoever went on to something else meanwhile is left there.
        const at = document.activeElement
        if (at !== document.body && !this.element.contains(at)) return
        if (!this.element.isConnected) document.querySelector('main')?.focus()
        else if (made.isConnected) made.focus()
        else this.element.focus()
      }, action === 'cancel' ? 'danger small' : 'small')
      made.setAttribute('aria-label', `${names[action]}, task ${this.id}`)
      return made
    }), this.link)
    if (focused) this.element.focus()
  }
}

class Tasks {
  private state = ''
  private limit = PAGE
  private loads = 0    // of which only the last one is shown
  private looking = false  // somebody waits for the last one
  private timer = 0
  private underWay = false
  private failing = false  // the last look was in vain, and the page says so
  private touched = performance.now()
  private asked = { state: '', task: '' }  // what the list shows
  private readonly entries = new Map<number, Entry>()
  private readonly task = h('input', { type: 'text', inputmode: 'numeric', maxlength: 20, autocomplete: 'off', spellcheck: 'false' })
  private readonly note = statusLine()
  private readonly done = statusLine()     // what somebody did last
  private readonly refused = alertBox()    // why that could not be
  private readonly problem = alertBox()    // why the list could not be had
  private readonly list = h('ul', { class: 'plain tasks', 'aria-label': 'Tasks' })
  private readonly more = button('Show more', () => { this.limit = Math.min(MOST, this.limit + PAGE); void this.load() }, 'quiet')
  private root: HTMLElement | null = null

  constructor(private readonly context: Context) {
    context.events.addEventListener('application', () => {
      this.limit = PAGE
      this.forgetDone()
      this.show({ tasks: [] }, false)
      void this.load()
    })
    document.addEventListener('visibilitychange', () => { if (!document.hidden && this.isShown()) void this.load(true) })
    for (const touch of ['pointerdown', 'keydown']) {
      document.addEventListener(touch, () => {
        const slept = performance.now() - this.touched > IDLE_MS
        this.touched = performance.now()
        if (slept && this.isShown()) this.wait()
      })
    }
  }

  element(): HTMLElement {
    const states = select(STATES, value => { this.state = value; void this.find() })
    this.more.hidden = true
    return this.root = h('section', { 'aria-labelledby': 'tasks-title' },
      h('h1', { id: 'tasks-title' }, 'Tasks'),
      h('p', { class: 'lead' }, 'Recordings that are transcribed while nobody waits (CreateRecTask): how far they are, and whether their callers were told.'),
      h('form', { class: 'card search', role: 'search', onsubmit: event => { event.preventDefault(); void this.find() } },
        field('State', states), field('Task id', this.task),
        h('div', { class: 'bar' }, h('button', { class: 'primary' }, 'Show'))),
      this.note, this.done, this.refused.element, this.problem.element, this.list, this.more)
  }

  private isShown(): boolean { return this.root?.checkVisibility() ?? false }

  private find(): Promise<void> {
    this.limit = PAGE
    this.forgetDone()
    const task = this.task.value.trim()
    if (/^\d*$/.test(task)) {
      this.asked = { state: this.state, task }
      return this.load()
    }
    this.refused.say('A task’s id is a number.')
    this.task.focus()
    return Promise.resolve()
  }

  private forgetDone(): void {
    this.done.textContent = ''
    this.refused.clear()
  }

  async load(quiet = false): Promise<void> {
    // Whoever waits for a list gets it, or is told why not.
    if (quiet && this.looking) return
    const load = ++this.loads
    this.looking = !quiet
    clearTimeout(this.timer)
    if (!quiet) { this.problem.clear(); this.note.textContent = 'Looking …' }
    const { state, task } = this.asked
    const query = new URLSearchParams({ app_id: String(this.context.application.app_id), limit: String(this.limit),
      ...state && { state }, ...task && { task_id: task } })
    try {
      const { answer } = await timed<Listing>(`tasks?${query}`)
      if (load !== this.loads) return
      this.looking = false
      this.show(answer)
      if (this.failing) this.problem.clear()
      this.failing = false
    } catch (error) {
      if (load !== this.loads) return
      this.looking = false
      if (!quiet || !this.failing) this.problem.say(told(error), button('Try again', () => void this.load()))
      if (!quiet) { this.note.textContent = ''; this.show({ tasks: [] }, false) }
      this.failing = true
    }
    this.wait()
  }

  // Looks again while somebody sees it and something is under way: less often for long lists.
  private wait(): void {
    clearTimeout(this.timer)
    const idle = performance.now() - this.touched > IDLE_MS
    if (!this.underWay || idle || document.hidden || !this.isShown()) return
    this.timer = window.setTimeout(() => {
      // A question, or the session has ended: first that.
      if (document.querySelector('dialog[open]')) this.wait()
      else void this.load(true)
    }, AGAIN_MS * Math.ceil(this.limit / PAGE))
  }

  private show({ tasks, next }: Listing, said = true): void {
    const there = new Set(tasks.map(({ task_id }) => task_id))
    for (const [id, { element }] of this.entries) {
      if (there.has(id)) continue
      // Whoever was at it is not thrown to the top of the page.
      if (element.contains(document.activeElement)) this.list.parentElement?.closest('main')?.focus()
      element.remove()
      this.entries.delete(id)
    }
    tasks.forEach((task, i) => {
      let entry = this.entries.get(task.task_id)
      if (!entry) this.entries.set(task.task_id, entry = new Entry(task.task_id, (id, action) => this.act(id, action)))
      entry.update(task)
      // Moving an element takes the focus from it, so only what is not there yet is put in.
      if (this.list.children[i] !== entry.element) this.list.insertBefore(entry.element, this.list.children[i] ?? null)
    })
    this.underWay = tasks.some(isUnderWay)
    this.more.hidden = next === undefined || this.limit >= MOST
    if (!said) return
    const busy = tasks.filter(isUnderWay).length
    const text = tasks.length === 0 ? this.asked.task ? 'There is no such task in this application, or no longer.' : 'No tasks.'
      : `${tasks.length}${next === undefined ? '' : ' and more'} ${tasks.length === 1 ? 'task' : 'tasks'}${busy > 0 ? `, ${busy} under way` : ''}.` +
        (next !== undefined && this.limit >= MOST ? ' The newest are shown; look for older ones by state or id.' : '')
    if (this.note.textContent !== text) this.note.textContent = text
  }

  private async act(id: number, action: Action): Promise<void> {
    const { app_id } = this.context.application
    if (action === 'cancel' && !await confirmed(`Cancel task ${id}?`,
      'It fails now, its recording is removed, and nothing of it is transcribed any more. It cannot be taken back.', 'Cancel the task')) return
    this.forgetDone()
    try {
      const { task } = await own<{ task: Task }>('POST', 'tasks', { app_id, task_id: id, action })
      this.entries.get(task.task_id)?.update(task)
      const done = { cancel: 'is cancelled', retry: `is tried again as task ${task.task_id}`, call_back: 'is called back again' }[action]
      this.done.textContent = `Task ${id} ${done}.`
    } catch (error) {
      // It may have ended meanwhile: then that is told, and how it stands is shown.
      this.refused.say(told(error))
    }
    // A list that is on its way may be older than this.
    await this.load(!this.looking)
  }
}

export const tasks: Page = {
  id: 'tasks', title: 'Tasks',
  make: context => {
    const page = new Tasks(context)
    return { element: page.element(), shown: () => void page.load() }
  },
}
