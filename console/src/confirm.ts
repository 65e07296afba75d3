// Asks before what cannot be undone.

import { h } from './dom'

export function confirmed(title: string, text: string, action: string): Promise<boolean> {
  return new Promise(resolve => {
    let yes = false
    const keep = h('button', { type: 'button', onclick: () => dialog.close() }, 'Keep it')
    const dialog = h('dialog', { 'aria-labelledby': 'confirm-title', 'aria-describedby': 'confirm-text' },
      h('h2', { id: 'confirm-title' }, title), h('p', { id: 'confirm-text' }, text),
      h('div', { class: 'bar' },
        h('button', { type: 'button', class: 'danger', onclick: () => { yes = true; dialog.close() } }, action), keep))
    dialog.addEventListener('close', () => { dialog.remove(); resolve(yes) })
    document.body.append(dialog)
    dialog.showModal()
    keep.focus()
  })
}
