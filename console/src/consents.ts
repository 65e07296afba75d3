// The register of consents of an application.

import { own, told } from './api'
import { confirmed } from './confirm'
import { alertBox, button, field, h, replace, select, statusLine, when } from './dom'
import type { Erasure } from './forget'

interface Consent {
  subject: string | null
  everyone: boolean
  state: string
  basis: string | null
  jurisdiction: string | null
  expires: number
}
interface Register { required: boolean, consents: Consent[], next?: string }

const BASES: [string, string][] = [['person', 'The person’s own'], ['parent', 'A parent’s'], ['customer', 'The customer’s, for everyone']]

export function consents(appId: number, onerased: (erasure: Erasure) => void): HTMLElement {
  const note = statusLine()
  const problem = alertBox()
  const required = h('input', { type: 'checkbox', disabled: true, onchange: () => void require(required.checked) })
  const rows = h('tbody', {})
  const table = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Consents, table', hidden: true },
    h('table', {}, h('thead', {}, h('tr', {}, ...['Person', 'State', 'Basis', 'Until'].map(text => h('th', { scope: 'col' }, text)))), rows))
  let next: string | undefined
  const more = button('Show more', () => void load(next), 'quiet')

  async function load(after?: string): Promise<void> {
    problem.clear()
    try {
      const query = new URLSearchParams({ app_id: String(appId), limit: '50', ...after ? { after } : {} })
      const register = await own<Register>('GET', `consent?${query}`)
      // What somebody sets later is not written over by what was asked for before.
      if (required.disabled) required.checked = register.required
      required.disabled = false
      const shown = register.consents.map(consent => h('tr', {},
        h('th', { scope: 'row' }, consent.everyone ? 'Everyone' : h('code', {}, consent.subject ?? '')),
        h('td', {}, consent.state), h('td', {}, [consent.basis, consent.jurisdiction].filter(Boolean).join(', ') || '–'),
        h('td', {}, when(consent.expires))))
      if (after) rows.append(...shown)
      else replace(rows, ...shown)
      next = register.next
      more.hidden = next === undefined
      table.hidden = rows.childElementCount === 0
      if (!after) note.textContent = table.hidden ? 'Nobody is registered.' : ''
    } catch (error) { problem.say(told(error), button('Try again', () => void load(after))) }
  }

  async function require(on: boolean): Promise<void> {
    problem.clear()
    try {
      await own('POST', 'consent', { app_id: appId, require: on })
      note.textContent = on ? 'From now on nobody is processed without consent.' : 'Calls need no consent from now on.'
    } catch (error) {
      required.checked = !on
      problem.say(told(error))
    }
  }

  const person = h('input', { type: 'text', maxlength: 200, required: true, autocomplete: 'off' })
  async function withdraw(): Promise<void> {
    const subject = person.value.trim()
    if (!subject) return
    if (!await confirmed('Withdraw this consent?', 'What is held of this person is erased now, and calls about them are refused from now on.', 'Withdraw and erase')) return
    problem.clear()
    try {
      const erasure = await own<Erasure>('POST', 'consent', { app_id: appId, subject, withdraw: true })
      person.value = ''
      onerased(erasure)
      await load()
    } catch (error) { problem.say(told(error)) }
  }

  const who = h('input', { type: 'text', maxlength: 200, required: true, autocomplete: 'off' })
  const country = h('input', { type: 'text', pattern: '[A-Za-z]{2}', maxlength: 2, size: 4, required: true, autocomplete: 'off', title: 'Two letters, such as DE' })
  const age = h('input', { type: 'number', min: 0, max: 150, step: 1, required: true })
  const days = h('input', { type: 'number', min: 1, max: 3650, step: 1, value: 365, required: true })
  const whoField = field('Who consents (as the application names them)', who), ageField = field('Age at least', age)
  const basis = select(BASES, () => {
    for (const [shown, input, bases] of [[whoField, who, ['person', 'parent']], [ageField, age, ['person']]] as const) {
      shown.hidden = !(bases as readonly string[]).includes(basis.value)
      input.required = !shown.hidden
    }
  }, 'person')
  async function give(): Promise<void> {
    problem.clear()
    note.textContent = ''
    const whose = basis.value === 'customer' ? { everyone: true } : { subject: who.value.trim() }
    try {
      const { consent } = await own<{ consent: Consent }>('POST', 'consent', { app_id: appId, ...whose, basis: basis.value,
        ...basis.value === 'person' ? { age: Number(age.value) } : {}, jurisdiction: country.value.toUpperCase(), expires_in: Number(days.value) * 86_400 })
      who.value = age.value = ''
      await load()
      note.textContent = `The consent is registered until ${when(consent.expires)}.`
    } catch (error) { problem.say(told(error)) }
  }

  required.id = 'consent-required'
  void load()
  return h('section', { class: 'card', 'aria-labelledby': 'consent-title' },
    h('h2', { id: 'consent-title' }, 'Consents'),
    h('p', { class: 'hint' }, 'People are kept as pseudonyms; only who knows a name can look it up.'),
    h('div', { class: 'check' }, required, h('label', { for: 'consent-required' }, 'Refuse calls about people who have not consented')),
    h('details', {}, h('summary', {}, 'Give a consent'), h('form', { class: 'inline', onsubmit: event => { event.preventDefault(); void give() } },
      field('Whose word it is', basis), whoField, ageField, field('Country', country), field('For days', days), h('button', {}, 'Register consent'))),
    h('form', { class: 'inline', onsubmit: event => { event.preventDefault(); void withdraw() } },
      field('Person (as the application names them)', person), h('button', { class: 'danger' }, 'Withdraw consent')),
    note, problem.element, table, more)
}
