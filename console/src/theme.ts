// Dark or light: as the system has it, until somebody says otherwise.

import { button } from './dom'

const KEY = 'lethe-theme'
const NAMES = { auto: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' }
type Theme = keyof typeof NAMES

function chosen(): Theme {
  const theme = localStorage.getItem(KEY)
  return theme === 'light' || theme === 'dark' ? theme : 'auto'
}

export function applyTheme(): void { document.documentElement.dataset['theme'] = chosen() }

export function themeSwitch(): HTMLButtonElement {
  const order: Theme[] = ['auto', 'light', 'dark']
  const element = button(NAMES[chosen()], () => {
    const next = order[(order.indexOf(chosen()) + 1) % order.length]!
    localStorage.setItem(KEY, next)
    applyTheme()
    element.textContent = NAMES[next]
  }, 'quiet')
  return element
}
