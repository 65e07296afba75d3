// What was said, and the files it can be saved as.

import { save } from './dom'

export interface Word { text: string, start: number, end: number, confidence?: number }
/** Times in seconds. */
export interface Line { start: number, end: number, text: string, words: Word[] }

export function clock(seconds: number, separator = '.'): string {
  const ms = Math.max(0, Math.round(seconds * 1000))
  const pad = (n: number, digits = 2) => String(Math.floor(n)).padStart(digits, '0')
  return `${pad(ms / 3_600_000)}:${pad(ms / 60_000 % 60)}:${pad(ms / 1000 % 60)}${separator}${pad(ms % 1000, 3)}`
}

/** Reads "1:02:03.450", "02:03,45" or "3.4"; null for what is no time. */
export function readClock(text: string): number | null {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,2}(?:[.,]\d{1,3})?)$/.exec(text.trim())
  if (!match) return null
  const [, hours = '0', minutes = '0', seconds = '0'] = match
  if (match[2] !== undefined && (Number(minutes) > 59 && match[1] !== undefined)) return null
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds.replace(',', '.'))
}

// A blank line would end a subtitle.
const whole = (text: string) => text.replace(/\s*\n\s*/g, '\n').trim()
const escapeVtt = (text: string) =>
  whole(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
const arrow = (line: Line, separator: string) =>
  `${clock(line.start, separator)} --> ${clock(line.end, separator)}`

const WRITERS = {
  txt: (lines: Line[]) => lines.map(line => whole(line.text) + '\n').join(''),
  srt: (lines: Line[]) => lines.map((line, i) =>
    `${i + 1}\n${arrow(line, ',')}\n${whole(line.text)}\n\n`).join(''),
  vtt: (lines: Line[]) => 'WEBVTT\n\n' + lines.map(line =>
    `${arrow(line, '.')}\n${escapeVtt(line.text)}\n\n`).join(''),
  json: (lines: Line[]) => JSON.stringify({
    text: lines.map(line => whole(line.text)).join(' '),
    segments: lines.map((line, id) => ({ id, ...line })),
  }, null, 2) + '\n',
}
const TYPES = { txt: 'text/plain', srt: 'application/x-subrip', vtt: 'text/vtt', json: 'application/json' }

export type Format = keyof typeof WRITERS
export const FORMATS = Object.keys(WRITERS) as Format[]

export const write = (lines: Line[], format: Format) => WRITERS[format](lines)
export function saveAs(lines: Line[], format: Format, name: string): void {
  save(`${name}.${format}`, TYPES[format], write(lines, format))
}

/** How a word is marked: three steps, so that they can be told apart without colour. */
export function sureness(confidence: number | undefined): string {
  if (confidence === undefined || confidence >= 0.8) return ''
  return confidence >= 0.5 ? 'unsure' : 'doubtful'
}
