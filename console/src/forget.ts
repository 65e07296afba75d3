// Forgetting now, and its receipts, verified here.

import { own } from './api'
import { button, h, replace, save, when } from './dom'
import { readLeaf, verify, type Check, type Receipt } from './proof'

export interface Erasure {
  erased: { results: number, recordings: number, operations: number }
  cancelled: number
  unreachable: number
  in_log: boolean
  receipts: Receipt[]
  without_receipt: number
  proof?: string
}

export function forget(what: Record<string, string | number>, appId?: number): Promise<Erasure> {
  const person = 'subject' in what && appId !== undefined ? { app_id: appId } : {}
  return own<Erasure>('POST', 'erase', { ...what, ...person })
}

let keys: Promise<string[]> | null = null
const ledgerKeys = () => keys ??= own<{ keys: string[] }>('GET', 'ledger').then(ledger => ledger.keys, () => { keys = null; return [] })

const MARKS = { true: ['✓', 'holds'], false: ['✗', 'does not hold'], null: ['–', 'not checked'] } as const
/** A check and how it came out, as an item of a list. */
export function checkItem({ what, holds }: Check): HTMLElement {
  const [mark, said] = MARKS[String(holds) as keyof typeof MARKS]
  return h('li', { class: `check-${holds}` }, h('span', { 'aria-hidden': 'true' }, mark),
    h('span', { class: 'hidden' }, `${said}: `), what)
}

function receiptItem(receipt: Receipt): HTMLElement {
  const leaf = readLeaf(receipt.leaf)
  const checks = h('ul', { class: 'checks' }, h('li', {}, 'verifying …'))
  void ledgerKeys().then(found => verify(receipt, found)).then(list => replace(checks, ...list.map(checkItem)))
  const title = leaf ? `${leaf.class}: ${leaf.items} ${leaf.kind}`.replaceAll('_', ' ') +
    (leaf.cause ? ` (${leaf.cause.replaceAll('_', ' ')})` : '') : 'a receipt that cannot be read'
  return h('li', { class: 'receipt' },
    h('div', {}, h('strong', {}, title), leaf && ` ${when(leaf.time)}`), checks,
    button('Save receipt', () => save(`receipt-${receipt.number}.json`, 'application/json',
      JSON.stringify(receipt, null, 2) + '\n'), 'quiet'))
}

const counted = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`

/** Where it is shown what was forgotten. It is on the page from the beginning, since screen readers say only
 * what changes in a live region that they know. */
export function receiptBox(): { element: HTMLElement, show(erasures: Erasure[]): void, clear(): void } {
  const said = h('p', { class: 'hidden', role: 'status' })
  const list = h('div', {})
  return {
    element: h('div', { role: 'group', tabindex: -1, 'aria-label': 'What was forgotten' }, said, list),
    show: erasures => {
      replace(list, receiptList(erasures))
      said.textContent = list.querySelector('p')!.textContent
    },
    clear: () => { said.textContent = ''; list.replaceChildren() },
  }
}

// With each receipt and what became of verifying it.
function receiptList(erasures: Erasure[]): HTMLElement {
  const sum = (of: (erasure: Erasure) => number) => erasures.reduce((total, each) => total + of(each), 0)
  const texts = sum(e => e.erased.results), audio = sum(e => e.erased.recordings), facts = sum(e => e.erased.operations)
  const receipts = erasures.flatMap(erasure => erasure.receipts)
  const more = sum(e => e.without_receipt), unreachable = sum(e => e.unreachable)
  const proof = erasures.find(erasure => erasure.proof)?.proof
  return h('div', { class: 'card forgotten' },
    h('p', {}, texts + audio + facts === 0 ? 'Nothing of it was held any more.'
      : `Forgotten: ${counted(texts, 'text', 'texts')}, ${counted(audio, 'recording', 'recordings')}, ` +
        `${counted(facts, 'row of the operation log', 'rows of the operation log')}.`),
    unreachable > 0 && h('p', {}, `The object store does not answer: ${unreachable} of the recordings can be opened by nobody and will be removed when it does.`),
    erasures.some(e => e.in_log) && h('p', {}, 'Another process reads the records: what was forgotten stays, sealed, in their log until that ends.'),
    proof && h('p', {}, `No receipt yet: ${proof}.`),
    more > 0 && h('p', {}, `${more} more are in the ledger, without a receipt here.`),
    receipts.length > 0 && h('ul', { class: 'plain', 'aria-label': 'Receipts' }, ...receipts.map(receiptItem)),
    receipts.length > 0 && h('p', { class: 'hint' }, 'The key comes from this service too. For a proof to somebody who does not trust it, save the receipt and hold it against a key kept from earlier: lethe ledger verify --help.'))
}
