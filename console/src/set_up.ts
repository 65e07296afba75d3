// Set up: applications, keys that are shown once, limits, vocabularies, and what clients have to be told.

import { own, told, type Application } from './api'
import { confirmed } from './confirm'
import type { Context, Page } from './context'
import { alertBox, button, field, h, replace, select, statusLine, when } from './dom'
import { limits } from './limits'
import { SNIPPETS } from './snippets'
import { vocabularies } from './vocabularies'

interface Key { key_id: string, kind: 'pair' | 'bearer', enabled: boolean, created: number, last4: string }

const KINDS = { pair: 'SecretId and SecretKey (Tencent Cloud)', bearer: 'API key (OpenAI)' }

async function copy(text: string, note: HTMLElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    note.textContent = 'Copied.'
  } catch {
    note.textContent = 'The browser does not let this page copy; mark the text and copy it by hand.'
  }
}

class SetUp {
  private readonly problem = alertBox()
  private readonly note = statusLine()
  private readonly applications = h('tbody', {})
  private readonly keys = h('tbody', {})
  private readonly made = h('div', { role: 'status' })
  private sessions = 0  // that have ended
  private readonly keysOf = h('span', {})
  private readonly snippets = h('div', {})
  private readonly cards = h('div', {})  // of the chosen application
  private cardsOf = 0

  constructor(private readonly context: Context) {
    context.events.addEventListener('application', () => { this.made.replaceChildren(); void this.refresh() })
    context.events.addEventListener('signed-out', () => { ++this.sessions; this.made.replaceChildren() })
  }

  element(): HTMLElement {
    const name = h('input', { type: 'text', maxlength: 64, required: true, autocomplete: 'off' })
    let kind: keyof typeof KINDS = 'bearer'
    const kinds = select(Object.entries(KINDS), value => { kind = value as typeof kind }, kind)
    const table = (label: string, columns: string[], rows: HTMLElement) => h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
      h('table', {}, h('thead', {}, h('tr', {}, ...columns.map(text => h('th', { scope: 'col' }, text)), h('td', {}))), rows))
    return h('section', { 'aria-labelledby': 'set-up-title' },
      h('h1', { id: 'set-up-title' }, 'Set up'),
      h('p', { class: 'lead' }, 'Who may call, what with, and what their clients have to be told.'),
      this.note, this.problem.element,
      h('section', { class: 'card', 'aria-labelledby': 'applications-title' },
        h('h2', { id: 'applications-title' }, 'Applications'),
        table('Applications, table', ['Name', 'AppId', 'Uin', 'State'], this.applications),
        h('form', { class: 'inline', onsubmit: event => { event.preventDefault(); void this.create(name) } },
          field('New application', name), h('button', {}, 'Make it'))),
      h('section', { class: 'card', 'aria-labelledby': 'keys-title' },
        h('h2', { id: 'keys-title' }, 'Keys of ', this.keysOf), this.made,
        table('Keys, table', ['Key', 'Kind', 'Ends with', 'Since', 'State'], this.keys),
        h('form', { class: 'inline', onsubmit: event => { event.preventDefault(); void this.makeKey(kind) } },
          field('New key', kinds), h('button', {}, 'Make key'))),
      this.cards,
      h('section', { class: 'card', 'aria-labelledby': 'snippets-title' },
        h('h2', { id: 'snippets-title' }, 'Clients'),
        h('p', { class: 'hint' }, `Engines here: ${this.context.service.engines.join(', ')}; without a name, ${this.context.service.default_engine}. `,
          'Which models there are: ', h('code', {}, 'lethe models list'), ' where the service runs; ', h('code', {}, 'lethe models pull NAME'),
          ' fetches one, and the service has it when it is started again.'),
        this.snippets))
  }

  async refresh(): Promise<void> {
    this.problem.clear()
    const { app_id, name } = this.context.application
    this.keysOf.textContent = name
    // Made once for an application: what is being typed there stays.
    if (this.cardsOf !== app_id) {
      this.cardsOf = app_id
      replace(this.cards, limits(app_id, async () => { await this.context.applicationsChanged(); await this.refresh() }), vocabularies(this.context))
    }
    replace(this.snippets, ...SNIPPETS.map(({ title, text }) => this.snippet(title, text(location.origin, app_id))))
    try {
      const [{ applications }, { keys }] = await Promise.all([
        own<{ applications: Application[] }>('GET', 'applications'), own<{ keys: Key[] }>('GET', `keys?app_id=${app_id}`)])
      if (this.context.application.app_id !== app_id) return  // another one was chosen, and is looked for
      replace(this.applications, ...applications.map(each => this.applicationRow(each)))
      replace(this.keys, ...keys.map(key => this.keyRow(key)))
    } catch (error) { this.problem.say(told(error)) }
  }

  private snippet(title: string, text: string): HTMLElement {
    const note = statusLine()
    const copied = button('Copy', () => void copy(text, note), 'small')
    copied.setAttribute('aria-label', `Copy: ${title}`)
    return h('details', {}, h('summary', {}, title), h('pre', { tabindex: 0 }, text), h('div', { class: 'bar' }, copied, note))
  }

  // Somebody else may have changed or removed it meanwhile: then that is told, and what is there is shown.
  private async change(path: string, body: object, done: string): Promise<void> {
    this.problem.clear()
    let failed: unknown
    try { await own('POST', path, body) } catch (error) { failed = error }
    if (path === 'applications') await this.context.applicationsChanged().catch(error => { failed ??= error })
    await this.refresh()
    if (failed) this.problem.say(told(failed))
    else this.note.textContent = done
  }

  private applicationRow({ app_id, uin, name, enabled }: Application): HTMLElement {
    const action = button(enabled ? 'Disable' : 'Enable', async () => {
      if (enabled && !await confirmed(`Disable ${name}?`, 'Its keys are refused until it is enabled again.', 'Disable it')) return
      await this.change('applications', { app_id, enabled: !enabled }, `${name} is ${enabled ? 'disabled' : 'enabled'}.`)
    }, 'small')
    action.setAttribute('aria-label', `${enabled ? 'Disable' : 'Enable'} ${name}`)
    return h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, h('code', {}, String(app_id))), h('td', {}, h('code', {}, String(uin))),
      h('td', {}, enabled ? 'enabled' : 'disabled'), h('td', {}, action))
  }

  private keyRow({ key_id, kind, enabled, created, last4 }: Key): HTMLElement {
    const toggle = button(enabled ? 'Disable' : 'Enable', () => void this.change('keys', { key_id, enabled: !enabled },
      `The key that ends with ${last4} is ${enabled ? 'disabled' : 'enabled'}.`), 'small')
    const remove = button('Remove', async () => {
      if (!await confirmed('Remove this key?', `Clients that use the key ending with ${last4} are refused from now on. It cannot be brought back.`, 'Remove it')) return
      await this.change('keys', { key_id, remove: true }, `The key that ended with ${last4} is removed.`)
    }, 'danger small')
    for (const each of [toggle, remove]) each.setAttribute('aria-label', `${each.textContent} the key that ends with ${last4}`)
    return h('tr', {}, h('th', { scope: 'row' }, h('code', {}, key_id)), h('td', {}, kind === 'pair' ? 'pair' : 'API key'), h('td', {}, h('code', {}, last4)),
      h('td', {}, when(created)), h('td', {}, enabled ? 'enabled' : 'disabled'), h('td', {}, h('div', { class: 'bar' }, toggle, remove)))
  }

  private async create(name: HTMLInputElement): Promise<void> {
    const wanted = name.value.trim()
    if (!wanted) return
    await this.change('applications', { name: wanted }, `${wanted} is made; choose it at the top to make its keys.`)
    if (!this.problem.element.hasChildNodes()) name.value = ''
  }

  private async makeKey(kind: keyof typeof KINDS): Promise<void> {
    this.problem.clear()
    const { application } = this.context
    const { sessions } = this
    try {
      const { key, secret } = await own<{ key: Key, secret: string }>('POST', 'keys', { app_id: application.app_id, kind })
      const note = statusLine()
      const row = (label: string, text: string) => h('div', {}, h('dt', {}, label), h('dd', {}, h('code', {}, text), ' ',
        button('Copy', () => void copy(text, note), 'small')))
      await this.refresh()
      // Nobody is to read it over the page of a session that is over; the key is in the list, to be removed.
      if (this.sessions !== sessions) return
      // Another application may have been chosen meanwhile: the secret is shown all the same, and whose it is.
      replace(this.made, h('div', { class: 'secret' },
        h('p', {}, h('strong', {}, 'Shown this once: '), `the new key of ${application.name}. Nobody can look it up later.`),
        h('dl', {}, kind === 'pair' && row('SecretId', key.key_id), row(kind === 'pair' ? 'SecretKey' : 'API key', secret)),
        h('div', { class: 'bar' }, button('I have it; hide it', () => this.made.replaceChildren()), note)))
    } catch (error) { this.problem.say(told(error)) }
  }
}

export const setUp: Page = {
  id: 'set-up', title: 'Set up',
  make: context => {
    const page = new SetUp(context)
    return { element: page.element(), shown: () => void page.refresh() }
  },
}
