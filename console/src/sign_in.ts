// Signing in: on a page of its own at first, over the page when a session has ended.

import { CallError, signIn, told, type Service } from './api'
import { alertBox, field, h } from './dom'

function form(onsuccess: (service: Service) => void): HTMLFormElement {
  const password = h('input', {
    type: 'password', autocomplete: 'current-password', required: true, maxlength: 256,
  })
  const submit = h('button', { class: 'primary' }, 'Sign in')
  const problem = alertBox()
  const element = h('form', {
    onsubmit: async event => {
      event.preventDefault()
      problem.clear()
      submit.disabled = true
      try {
        const service = await signIn(password.value)
        password.value = ''
        onsuccess(service)
      } catch (error) {
        problem.say(error instanceof CallError && error.code === 'wrong_password'
          ? 'That is not the console’s password.' : told(error))
        password.select()
      } finally {
        submit.disabled = false
      }
    },
  },
    // For password managers, which want a name.
    h('input', { type: 'text', autocomplete: 'username', value: 'console', hidden: true, readonly: true }),
    field('Console password', password,
      'It was shown at the first start; lethe keys password sets another.'),
    problem.element, submit)
  return element
}

export function signInPage(onsuccess: (service: Service) => void): HTMLElement {
  return h('main', { class: 'sign-in', id: 'main' },
    h('h1', {}, 'Lethe'), h('p', { class: 'lead' }, 'Speech recognition that forgets.'),
    form(onsuccess))
}

let open: HTMLDialogElement | null = null
/** There is a session again, from elsewhere. */
export function closeSignInDialog(): void { open?.close() }

/** Asks again, once, over a page that stays as it is. */
export function signInDialog(onsuccess: (service: Service) => void): void {
  if (open) return
  const dialog = h('dialog', { 'aria-labelledby': 'ended' },
    h('h2', { id: 'ended' }, 'Your session has ended'),
    h('p', {}, 'What is on the page is kept. Sign in to go on.'),
    form(service => { dialog.close(); onsuccess(service) }),
    h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, 'Not now'))
  dialog.addEventListener('close', () => { dialog.remove(); open = null })
  document.body.append(dialog)
  open = dialog
  dialog.showModal()
}
