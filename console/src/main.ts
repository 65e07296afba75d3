// The console: who is signed in, the menu, and one page at a time.

import { own, session, sessionEnded, signOut, token, told, type Application, type Service } from './api'
import type { Context, Page } from './context'
import { alertBox, button, field, h, replace, select } from './dom'
import { drop } from './drop'
import { held } from './held'
import { setUp } from './set_up'
import { closeSignInDialog, signInDialog, signInPage } from './sign_in'
import { speak } from './speak'
import { tasks } from './tasks'
import { applyTheme, themeSwitch } from './theme'
import { watch } from './watch'

const PAGES: Page[] = [speak, drop, tasks, held, watch, setUp]
const APPLICATION = 'lethe-application'
// How often it is asked whether the session is still there.
const EVERY_MS = 5_000
const EVERY_IDLE_MS = 60_000

// Tabs tell each other when somebody signs out or in. The cookie is the browser's, so signing in on one tab
// takes the session of the others away: those that have one get the new one's other half. Only pages of
// this origin hear it, port and all.
const tabs = new BroadcastChannel('lethe-console')

class Shell implements Context {
  application: Application
  readonly events = new EventTarget()
  readonly working = new Set<object>()
  private readonly picker = select([], value => this.choose(value))
  private readonly main = h('main', { id: 'main', tabindex: -1 })
  private readonly made = new Map<Page, { element: HTMLElement, shown?(): void }>()
  private readonly links = new Map<Page, HTMLAnchorElement>()
  private ended = false
  private readonly problem = alertBox()
  private timer = 0

  constructor(public service: Service, private applications: Application[]) {
    const chosen = Number(localStorage.getItem(APPLICATION))
    this.application = applications.find(({ app_id }) => app_id === chosen) ?? applications[0]!
    sessionEnded.addEventListener('ended', () => this.askAgain())
    tabs.onmessage = ({ data }: MessageEvent<{ token: string | null }>) => {
      if (data.token === null) { token.remove(); return this.askAgain() }
      token.set(data.token)
      this.goOn()
    }
    addEventListener('hashchange', () => this.show(true))
    addEventListener('beforeunload', event => { if (this.working.size > 0) event.preventDefault() })
    replace(document.body,
      h('a', { class: 'skip', href: '#main', onclick: event => { event.preventDefault(); this.main.focus() } },
        'Skip to the page'),
      this.header(), this.main)
    this.main.append(this.problem.element)
    this.show(false)
    this.watch()
  }

  private header(): HTMLElement {
    for (const page of PAGES) this.links.set(page, h('a', { href: `#/${page.id}` }, page.title))
    this.offer()
    return h('header', {},
      h('a', { class: 'mark', href: '#/speak' }, 'Lethe'),
      h('nav', { 'aria-label': 'Pages' }, ...this.links.values()),
      h('div', { class: 'tools' }, field('Application', this.picker), themeSwitch(),
        button('Sign out', () => this.leave(), 'quiet')))
  }

  private offer(): void {
    replace(this.picker, ...this.applications.map(({ app_id, name, enabled }) =>
      h('option', { value: app_id, selected: app_id === this.application.app_id }, `${name} (${app_id}${enabled ? '' : ', disabled'})`)))
  }

  private choose(value: string): void {
    this.application = this.applications.find(({ app_id }) => String(app_id) === value)!
    localStorage.setItem(APPLICATION, value)
    this.events.dispatchEvent(new Event('application'))
  }

  async applicationsChanged(): Promise<void> {
    const usable = await usableApplications()
    if (usable.length > 0) this.applications = usable
    const { app_id } = this.application
    const still = this.applications.find(each => each.app_id === app_id)
    if (still) this.application = still
    else this.choose(String(this.applications[0]!.app_id))
    this.offer()
  }

  private show(moved: boolean): void {
    const page = PAGES.find(({ id }) => location.hash === `#/${id}`) ?? PAGES[0]!
    let made = this.made.get(page)
    if (!made) {
      made = page.make(this)
      this.made.set(page, made)
      this.main.append(made.element)
    }
    for (const [each, { element }] of this.made) element.hidden = each !== page
    for (const [each, link] of this.links) {
      if (each === page) link.setAttribute('aria-current', 'page')
      else link.removeAttribute('aria-current')
    }
    document.title = `${page.title} · Lethe`
    if (moved) this.main.focus()
    made.shown?.()
  }

  // A session that ended unnoticed would surprise whoever comes back.
  private watch(): void {
    this.timer = window.setTimeout(async () => {
      try {
        const service = await session(this.working.size > 0)
        if (service) { this.service = service; this.goOn() }
        else if (!this.ended) this.askAgain()
      } catch {
        // It does not answer: who is at work notices, and the next look tells.
      }
      this.watch()
    }, this.working.size > 0 ? EVERY_MS : EVERY_IDLE_MS)
  }

  private askAgain(): void {
    if (!this.ended) this.events.dispatchEvent(new Event('signed-out'))
    this.ended = true
    signInDialog(service => { this.service = service; this.ended = false; tellTabs() })
  }

  private goOn(): void {
    this.ended = false
    closeSignInDialog()
  }

  private async leave(): Promise<void> {
    if (this.working.size > 0 && !confirm('Something is still going on here. Sign out all the same?')) return
    this.problem.clear()
    try {
      await signOut()
    } catch (error) {
      return this.problem.say(`You are still signed in. ${told(error)}`, button('Try again', () => void this.leave()))
    }
    clearTimeout(this.timer)
    tellTabs()
    this.events.dispatchEvent(new Event('signed-out'))
    this.working.clear()
    location.reload()
  }
}

function tellTabs(): void { tabs.postMessage({ token: token.get() }) }

// Those that calls can be made for; when there is none, all, so that one can be enabled again.
async function usableApplications(): Promise<Application[]> {
  const { applications } = await own<{ applications: Application[] }>('GET', 'applications')
  const enabled = applications.filter(each => each.enabled)
  return enabled.length > 0 ? enabled : applications
}

async function enter(service: Service): Promise<void> {
  const usable = await usableApplications()
  if (usable.length > 0) {
    if (!usable[0]!.enabled) history.replaceState(null, '', '#/set-up')
    new Shell(service, usable)
    return
  }
  const name = h('input', { type: 'text', maxlength: 64, required: true, autocomplete: 'off' })
  const problem = alertBox()
  const attempt = (work: () => Promise<unknown>) => { problem.clear(); work().catch(error => problem.say(told(error))) }
  replace(document.body, h('main', { class: 'sign-in' }, h('h1', {}, 'Lethe'),
    h('p', {}, 'There is no application yet, so no calls can be made. Name the first one:'),
    h('form', { onsubmit: event => {
      event.preventDefault()
      attempt(async () => { await own('POST', 'applications', { name: name.value.trim() }); await enter(service) })
    } }, field('New application', name), problem.element, h('button', { class: 'primary' }, 'Make it')),
    button('Sign out', () => attempt(async () => { await signOut(); tellTabs(); location.reload() }), 'quiet')))
}

async function start(): Promise<void> {
  applyTheme()
  document.title = 'Lethe'
  try {
    const service = await session()
    if (service) return await enter(service)
    replace(document.body, signInPage(signedIn => { tellTabs(); void enter(signedIn).catch(fail) }))
    document.querySelector<HTMLInputElement>('input[type=password]')?.focus()
  } catch (error) {
    fail(error)
  }
}

function fail(error: unknown): void {
  const problem = alertBox()
  replace(document.body, h('main', { class: 'sign-in' }, h('h1', {}, 'Lethe'), problem.element,
    button('Try again', () => void start(), 'primary')))
  problem.say(told(error))
}

void start()
