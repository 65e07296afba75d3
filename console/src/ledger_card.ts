// The ledger: its last head, verified here on demand, and held against the one this browser saw last.

import { own, told } from './api'
import { confirmed } from './confirm'
import { alertBox, button, h, replace, save, statusLine, when } from './dom'
import { checkItem } from './forget'
import { verifyHead, type Published, type Seen, type Verdict } from './head_proof'
import { readHead } from './proof'

const REMEMBERED = 'lethe-ledger-head'

function remembered(): Seen | null {
  try {
    const seen = JSON.parse(localStorage.getItem(REMEMBERED) ?? 'null') as Seen | null
    return seen && typeof seen.head === 'string' && Array.isArray(seen.keys) ? seen : null
  } catch {
    return null
  }
}

const remember = ({ head, keys }: Published) => localStorage.setItem(REMEMBERED, JSON.stringify({ head, keys }))

export class LedgerCard {
  private readonly facts = h('dl', { class: 'rows' })
  private readonly note = statusLine()
  private readonly unread = alertBox()   // that there is no head to show
  private readonly problem = alertBox()  // what came of verifying it
  private readonly checks = h('ul', { class: 'checks', 'aria-label': 'What was verified' })
  private readonly verifying = button('Verify it in this browser', () => void this.verify(), 'primary')

  element(): HTMLElement {
    return h('section', { class: 'card', 'aria-labelledby': 'ledger-title' },
      h('h2', { id: 'ledger-title' }, 'Ledger'),
      h('p', { class: 'hint' }, 'What was stored and erased, as an append-only log whose heads are signed.'),
      this.unread.element, this.facts, h('div', { class: 'bar' }, this.verifying), this.note, this.problem.element, this.checks,
      h('p', { class: 'hint' }, 'A head that was verified is remembered by this browser, and the next one is held against it: so a history that was ' +
        'rewritten meanwhile is noticed. The key comes from this service too, and leaves are not looked at one by one: save an export and hold it ' +
        'against a key and a head kept elsewhere (lethe ledger export, lethe ledger verify) for a proof to somebody who does not trust it.'))
  }

  async refresh(): Promise<void> {
    try {
      this.show(await own<Published>('GET', 'ledger'))
      this.unread.clear()
    } catch (error) {
      this.unread.say(told(error))
    }
  }

  private show(published: Published): void {
    const head = readHead(published.head)
    const row = (name: string, value: string, code = false) => h('div', {}, h('dt', {}, name), h('dd', {}, code ? h('code', {}, value) : value))
    const [, , root = ''] = published.head.split('\n')
    replace(this.facts, ...head ? [
      row('Leaves', head.size.toLocaleString('en')), row('Signed', when(head.time)), row('Root', root, true),
      row('Key', published.keys.at(-1) ?? 'none', true),
    ] : [row('Head', 'cannot be read')])
  }

  private async verify(): Promise<void> {
    this.problem.clear()
    this.checks.replaceChildren()
    this.note.textContent = 'Verifying …'
    this.verifying.disabled = true
    try {
      const seen = remembered()
      const published = await this.fetch(seen)
      this.show(published)
      const verdict = await verifyHead(published, seen)
      replace(this.checks, ...verdict.checks.map(checkItem))
      this.judge(verdict, published, seen)
    } catch (error) {
      this.note.textContent = 'Nothing was verified.'
      this.problem.say(told(error))
    } finally {
      this.verifying.disabled = false
    }
  }

  // With the proof that it goes on from what was seen, where there can be one.
  private async fetch(seen: Seen | null): Promise<Published> {
    const published = await own<Published>('GET', 'ledger')
    const old = seen && readHead(seen.head), head = readHead(published.head)
    if (!old || !head || old.size > head.size) return published
    return own<Published>('GET', `ledger?from=${old.size}`)
  }

  private judge({ checks, signed, goesOn }: Verdict, published: Published, seen: Seen | null): void {
    if (signed === false || goesOn === false) {
      this.note.textContent = 'It does not verify.'
      return this.accuse(signed === false, published, seen)
    }
    // What was not proven is not what the next one is held against.
    if (!seen || goesOn) remember(published)
    const unsure = checks.some(({ holds }) => holds === null)
    this.note.textContent = !seen ? 'This is the first head that this browser sees. It remembers it from now on.'
      : unsure ? 'What was looked at holds; not everything could be looked at.'
        : `Verified: signed, and it goes on from the head of ${when(readHead(seen.head)!.time)}.`
  }

  private accuse(forged: boolean, published: Published, seen: Seen | null): void {
    const text = forged ? 'This head is not signed by the ledger’s key: somebody else made it, or it was changed on its way.'
      : 'This ledger does not go on from what this browser saw before: its history was rewritten, an older copy was put back, or another ledger ' +
        'was begun. Both heads are signed, so together they prove it: save them before anything else.'
    this.problem.say(text,
      button('Save the heads', () => save('lethe-ledger-heads.json', 'application/json',
        JSON.stringify({ saw: seen, found: published }, null, 2) + '\n')),
      !forged && button('Remember this head instead', () => void this.accept(published), 'quiet'))
  }

  private async accept(published: Published): Promise<void> {
    if (!await confirmed('Remember this head instead?', 'This browser forgets the head it saw before, and with it what shows that the history was rewritten. Save both first.', 'Remember this one')) return
    remember(published)
    this.problem.clear()
    this.note.textContent = 'From now on heads are held against this one.'
    this.verifying.focus()
  }
}
