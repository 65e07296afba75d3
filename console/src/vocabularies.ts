// Vocabularies: lists of hot words that calls name, or that are used when they name none.

import { own, told } from './api'
import { confirmed } from './confirm'
import type { Context } from './context'
import { alertBox, button, field, h, replace, statusLine, when } from './dom'

interface Word { word: string, weight: number }
interface Vocabulary {
  vocab_id: string
  name: string
  description: string
  default: boolean
  updated: number
  size: number
  words?: Word[]
}

const USUAL_WEIGHT = 5

/** A word a line, "word|weight"; the weight may be left out. What is no number is the service's to refuse. */
function parse(text: string): Word[] {
  return text.split('\n').map(line => line.trim()).filter(line => line !== '').map(line => {
    const bar = line.lastIndexOf('|')
    return bar < 0 ? { word: line, weight: USUAL_WEIGHT }
      : { word: line.slice(0, bar).trim(), weight: Math.trunc(Number(line.slice(bar + 1))) || 0 }
  })
}
const lines = (words: Word[]) => words.map(({ word, weight }) => `${word}|${weight}`).join('\n')
const content = ({ name, description, words }: Vocabulary) => JSON.stringify([name, description, words])

export function vocabularies(context: Context): HTMLElement {
  const { app_id: appId, name: ofName } = context.application
  const note = statusLine()
  const problem = alertBox()
  const rows = h('tbody', {})
  const table = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Vocabularies, table', hidden: true },
    h('table', {}, h('thead', {}, h('tr', {}, ...['Name', 'Words', 'Id', 'Changed', 'Used'].map(text => h('th', { scope: 'col' }, text)), h('td', {}))), rows))
  const editor = h('div', {})
  const add = button('New vocabulary', () => edit(null))

  let loads = 0

  async function refresh(): Promise<void> {
    const load = ++loads
    try {
      const { vocabularies } = await own<{ vocabularies: Vocabulary[] }>('GET', `vocabularies?app_id=${appId}`)
      if (load !== loads) return  // asked for anew since
      replace(rows, ...vocabularies.map(row))
      table.hidden = vocabularies.length === 0
    } catch (error) { problem.say(told(error), button('Try again', () => { problem.clear(); void refresh() })) }
  }

  async function change(body: object, done: string): Promise<boolean> {
    problem.clear()
    note.textContent = ''
    try {
      await own('POST', 'vocabularies', { app_id: appId, ...body })
    } catch (error) {
      problem.say(told(error))
      return false
    }
    note.textContent = done
    await refresh()
    return true
  }

  async function find(id: string): Promise<Vocabulary> {
    return (await own<{ vocabularies: Vocabulary[] }>('GET', `vocabularies?app_id=${appId}&vocab_id=${id}`)).vocabularies[0]!
  }

  function row(each: Vocabulary): HTMLElement {
    const { vocab_id, name } = each
    const action = (text: string, work: () => void, kind: string) => {
      const made = button(text, work, kind)
      made.setAttribute('aria-label', `${text}: ${name}`)
      return made
    }
    return h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, String(each.size)), h('td', {}, h('code', {}, vocab_id)),
      h('td', {}, when(each.updated)), h('td', {}, each.default ? 'if a call names none' : 'if named'),
      h('td', {}, h('div', { class: 'bar' },
        action('Edit', () => void find(vocab_id).then(edit, error => problem.say(told(error))), 'small'),
        action(each.default ? 'Only if named' : 'Use always', () => void change({ vocab_id, default: !each.default },
          each.default ? `${name} is used only by calls that name it.` : `${name} is used by calls that name none.`), 'small'),
        action('Remove', async () => {
          if (await confirmed(`Remove ${name}?`, 'Calls that name it are refused from now on. It cannot be brought back.', 'Remove it')) {
            await change({ vocab_id, remove: true }, `${name} is removed.`)
          }
        }, 'danger small'))))
  }

  // One at a time; what was typed is not lost to another one.
  function edit(of: Vocabulary | null): void {
    if (editor.hasChildNodes()) {
      problem.say('Another vocabulary is being edited; save it or put it away first.')
      return
    }
    problem.clear()
    const name = h('input', { type: 'text', maxlength: 255, required: true, autocomplete: 'off' })
    const description = h('input', { type: 'text', maxlength: 1000, autocomplete: 'off' })
    const words = h('textarea', { rows: 10, cols: 40, required: true, spellcheck: 'false' })
    let before = of
    const fill = () => { name.value = before?.name ?? ''; description.value = before?.description ?? ''; words.value = lines(before?.words ?? []) }
    const working = {}
    const close = () => { context.working.delete(working); editor.replaceChildren(); add.focus() }

    async function save(anyway: boolean): Promise<void> {
      const body = { name: name.value.trim(), description: description.value.trim(), words: parse(words.value) }
      if (before && !anyway) {
        try {
          const there = await find(before.vocab_id)
          if (content(there) !== content(before)) {
            problem.say(`Somebody changed it meanwhile (${when(there.updated)}).`,
              button('Show theirs', () => { before = there; fill(); problem.clear() }), button('Save mine over it', () => void save(true)))
            return
          }
        } catch (error) { return problem.say(told(error)) }
      }
      const id = before ? { vocab_id: before.vocab_id } : {}
      if (await change({ ...id, ...body }, `${body.name} is saved: ${body.words.length} words.`)) close()
    }

    fill()
    replace(editor, h('form', { class: 'card', 'aria-label': of ? `Edit ${of.name}` : 'New vocabulary',
      onsubmit: event => { event.preventDefault(); void save(false) }, oninput: () => context.working.add(working) },
      h('p', { class: 'hint' }, `Of ${ofName}.`), field('Name', name), field('Description', description),
      field('Words', words, `One a line, up to 1,000: the word, a bar, and how much it is preferred, 1 to 11 (100: also what sounds like it). Without a bar: ${USUAL_WEIGHT}.`),
      h('div', { class: 'bar' }, h('button', { class: 'primary' }, 'Save'), button('Put away', close))))
    name.focus()
  }

  void refresh()
  return h('section', { class: 'card', 'aria-labelledby': 'vocabularies-title' },
    h('h2', { id: 'vocabularies-title' }, `Vocabularies of ${ofName}`),
    h('p', { class: 'hint' }, 'Hot words: names and terms that are to be preferred where the audio allows it.'),
    table, h('div', { class: 'bar' }, add, note), problem.element, editor)
}
