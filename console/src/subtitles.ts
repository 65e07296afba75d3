// Subtitles to be edited: times and text of each, at any time what is shown.

import { button, h } from './dom'
import { clock, readClock, type Line } from './transcript'

export function subtitleEditor(lines: Line[], play: (from: number, to: number) => void): HTMLElement {
  const time = (line: Line, which: 'start' | 'end', number: number) => {
    const input = h('input', {
      type: 'text', class: 'clock', value: clock(line[which]), inputmode: 'decimal',
      'aria-label': `${which === 'start' ? 'Start' : 'End'} of subtitle ${number}`,
      onchange: () => {
        const read = readClock(input.value)
        const fits = read !== null && (which === 'start' ? read <= line.end : read >= line.start)
        input.setAttribute('aria-invalid', String(!fits))
        input.title = fits ? '' : 'A time such as 00:01:02.500, the end not before the start; the last one that was right is kept.'
        if (!fits) return
        line[which] = read
        input.value = clock(read)
      },
    })
    return input
  }
  const rows = lines.map((line, i) => {
    const number = i + 1
    const text = h('textarea', {
      rows: Math.min(4, 1 + Math.floor(line.text.length / 70)), 'aria-label': `Text of subtitle ${number}`,
      oninput: () => { line.text = text.value },
    }, line.text)
    const listen = button('▶', () => play(line.start, line.end), 'quiet')
    listen.setAttribute('aria-label', `Play subtitle ${number}`)
    return h('li', {}, h('div', { class: 'times' }, listen, time(line, 'start', number), '–', time(line, 'end', number)), text)
  })
  return h('details', {}, h('summary', {}, `Edit subtitles (${lines.length})`), h('ol', { class: 'subtitles' }, ...rows))
}
