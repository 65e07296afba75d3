// Copying and saving what was said.

import { button, h, statusLine } from './dom'
import { FORMATS, saveAs, write, type Format, type Line } from './transcript'

const TITLES: Record<Format, string> = {
  txt: 'Text (txt)', srt: 'SubRip (srt)', vtt: 'WebVTT (vtt)', json: 'With times (json)',
}

export function exportBar(lines: () => Line[], name: () => string): { element: HTMLElement, enable(on: boolean): void } {
  const note = statusLine()
  const buttons = [
    button('Copy', async () => {
      try {
        await navigator.clipboard.writeText(write(lines(), 'txt'))
        note.textContent = 'Copied.'
      } catch {
        note.textContent = 'The browser does not let this page copy; save it as text instead.'
      }
    }),
    ...FORMATS.map(format => button(TITLES[format], () => {
      saveAs(lines(), format, name())
      note.textContent = `Saved as ${name()}.${format}.`
    }, 'quiet')),
  ]
  const enable = (on: boolean) => { for (const each of buttons) each.disabled = !on }
  enable(false)
  return { element: h('div', { class: 'bar', role: 'group', 'aria-label': 'Copy or save' }, ...buttons, note), enable }
}
