// Speak: the microphone through the realtime interface, words as they settle.

import { noteSessionEnded, session, told } from './api'
import type { Context, Page } from './context'
import { alertBox, button, field, h, replace, select, span, statusLine } from './dom'
import { exportBar } from './export_bar'
import { forget, receiptList } from './forget'
import { LOST, LiveCall } from './live_call'
import { Microphone, type Block } from './microphone'
import { clock, sureness, type Line, type Word } from './transcript'

/** The words of a line, marked by how sure the service is of them. */
export function wordSpans(line: Line): Node[] {
  // A partial's frame may be too small for all of its words; its text has all.
  const complete = line.words.length > 0 && line.text.startsWith(line.words[0]!.text)
  if (!complete) return [document.createTextNode(line.text)]
  return line.words.flatMap((word, i) => [i > 0 ? document.createTextNode(' ') : '', mark(word)] as Node[])
    .filter(node => typeof node !== 'string')
}

function mark(word: Word): Node {
  const sure = sureness(word.confidence)
  if (!sure) return document.createTextNode(word.text)
  const percent = Math.round(word.confidence! * 100)
  return h('span', { class: sure, title: `${percent} % sure` }, word.text)
}

class Speak {
  private readonly record = button('Record', () => void this.toggle(), 'primary record')
  private readonly meter = h('div', { class: 'level' }, h('div', {}))
  private readonly note = statusLine()
  private readonly delay = h('span', {}, '–')
  private readonly elapsed = h('span', {}, '00:00')
  private readonly finals = h('ol', { class: 'lines', role: 'log', 'aria-label': 'What was said', 'aria-live': 'polite' })
  // Not said aloud: it changes all the time.
  private readonly partial = h('p', { class: 'partial', 'aria-hidden': 'true' })
  private readonly problem = alertBox()
  private readonly receipts = h('div', {})
  private readonly exports = exportBar(() => this.lines, () => 'recording')
  private readonly clear = button('Clear', () => this.reset(), 'quiet')
  private readonly erase = button('Forget these calls', () => void this.forgetCalls(), 'quiet')
  private readonly lines: Line[] = []
  private readonly calls: { id: string, appId: number }[] = []
  private engine: string
  private microphone: Microphone | null = null
  private call: LiveCall | null = null
  private readonly work = {}
  private began = 0     // performance.now() at the call's first sample
  private offset = 0    // of the call's times in the transcript, in seconds
  private sent = 0      // seconds of audio
  private delays: number[] = []

  constructor(private readonly context: Context) {
    this.engine = context.service.default_engine
    this.record.setAttribute('aria-pressed', 'false')
    this.clear.disabled = this.erase.disabled = true
    context.events.addEventListener('signed-out', () => {
      if (this.microphone) this.stop('Your session has ended, so the recording was stopped. What was said is kept on this page.')
    })
  }

  element(): HTMLElement {
    const { service } = this.context
    const engines = select(service.engines.map(name => [name, name]), name => { this.engine = name }, this.engine)
    return h('section', { 'aria-labelledby': 'speak-title' },
      h('h1', { id: 'speak-title' }, 'Speak'),
      h('p', { class: 'lead' }, 'Say something: it becomes text while you speak. The audio is heard by this ' +
        'service only and is not stored; the text is on this page only.'),
      h('div', { class: 'card controls' }, this.record, this.meter,
        h('dl', { class: 'facts' },
          h('div', {}, h('dt', {}, 'Recorded'), h('dd', {}, this.elapsed)),
          h('div', {}, h('dt', {}, 'Text behind voice'), h('dd', {}, this.delay))),
        field('Engine', engines)),
      this.note, this.problem.element,
      h('div', { class: 'card transcript' }, this.finals, this.partial),
      h('p', { class: 'hint legend' }, 'Words the service is ', h('span', { class: 'unsure' }, 'less sure'), ' or ',
        h('span', { class: 'doubtful' }, 'unsure'), ' of are underlined.'),
      h('div', { class: 'bar' }, this.exports.element, this.erase, this.clear),
      this.receipts)
  }

  private async toggle(): Promise<void> {
    if (this.microphone) return this.stop('Stopped. The last words may still settle.')
    this.problem.clear()
    this.record.disabled = true
    try {
      this.microphone = await Microphone.open(block => this.push(block),
        () => this.stop('The microphone was taken away. What was said is kept.'))
    } catch (error) {
      this.problem.say((error as Error).message)
      return
    } finally {
      this.record.disabled = false
    }
    this.offset = this.lines.at(-1)?.end ?? 0
    this.began = this.sent = 0
    this.delays = []
    const { app_id } = this.context.application
    const call = new LiveCall(app_id, this.engine, {
      open: () => { this.note.textContent = 'Listening.' },
      heard: (line, final) => this.heard(line, final),
      over: failure => { if (this.call === call) void this.over(failure) },
    })
    this.call = call
    this.calls.push({ id: call.voiceId, appId: app_id })
    this.context.working.add(this.work)
    this.show(true)
    this.note.textContent = 'Connecting …'
  }

  private push({ samples, peak }: Block): void {
    if (!this.microphone) return  // of a microphone that was just closed
    const seconds = samples.byteLength / 32_000
    if (this.began === 0) this.began = performance.now() - seconds * 1000
    this.sent += seconds
    this.call?.push(samples)
    const bar = this.meter.firstElementChild as HTMLElement
    // In decibels: from -60 to 0.
    bar.style.transform = `scaleX(${Math.max(0, 1 + Math.log10(Math.max(peak, 1e-3)) / 3)})`
    bar.classList.toggle('loud', peak > 0.98)
    this.elapsed.textContent = clock(this.sent).slice(3, 8)
  }

  private heard(line: Line, final: boolean): void {
    const behind = (performance.now() - this.began) / 1000 - (line.words.at(-1)?.end ?? line.end)
    if (!final && behind >= 0) {
      this.delays = [...this.delays.slice(-8), behind]
      const sorted = [...this.delays].sort((a, b) => a - b)
      this.delay.textContent = `${sorted[Math.floor(sorted.length / 2)]!.toFixed(1)} s`
    }
    if (!final) return replace(this.partial, ...wordSpans(line))
    this.partial.replaceChildren()
    const moved: Line = {
      ...line, start: line.start + this.offset, end: line.end + this.offset,
      words: line.words.map(word => ({ ...word, start: word.start + this.offset, end: word.end + this.offset })),
    }
    this.lines.push(moved)
    this.finals.append(h('li', {}, h('span', { class: 'time', 'aria-hidden': 'true' }, clock(moved.start).slice(3, 8)),
      h('span', {}, ...wordSpans(moved))))
    this.exports.enable(true)
  }

  private stop(why: string): void {
    this.microphone?.close()
    this.microphone = null
    this.call?.finish()
    this.show(false)
    this.note.textContent = why
  }

  // The call ended: all is said, or something went wrong in the middle.
  private async over(failure: { code: number, message: string } | null): Promise<void> {
    const cut = this.microphone !== null
    this.microphone?.close()
    this.microphone = this.call = null
    this.context.working.delete(this.work)
    this.show(false)
    if (this.partial.textContent) {
      // Nobody will settle it any more.
      const text = this.partial.textContent
      this.finals.append(h('li', {}, h('span', { class: 'time' }), h('span', { class: 'unsettled' }, `${text} …`)))
      const at = this.offset + this.sent
      this.lines.push({ start: Math.max(this.lines.at(-1)?.end ?? 0, at - 1), end: at, text, words: [] })
      this.partial.replaceChildren()
      this.exports.enable(true)
    }
    if (!failure) {
      if (!this.problem.element.hasChildNodes() && !this.note.textContent?.includes('session')) {
        this.note.textContent = this.lines.length > 0 ? 'Done.' : 'Nothing was heard.'
      }
      return
    }
    this.note.textContent = cut ? `The recording ended after ${span(this.sent)}.` : ''
    const kept = this.lines.length > 0 ? ' What was said until then is kept here.' : ''
    if (failure.code !== LOST) {
      const signedIn = await session().catch(() => undefined)
      if (signedIn === null) return this.ended(kept)
      return this.problem.say(`The service ended the call: ${failure.message}.${kept}`)
    }
    this.problem.say(`The connection to the service was lost (${failure.message}).${kept} Waiting for it to come back …`)
    await this.waitForService(kept)
  }

  // After a restart nobody is signed in.
  private async waitForService(kept: string): Promise<void> {
    for (let i = 0; i < 60 && !this.microphone; ++i) {
      try {
        const service = await session()
        if (!service) return this.ended(kept)
        return this.problem.say(`The connection to the service was lost, and it is there again.${kept} Press Record to go on.`)
      } catch {
        await new Promise(resolve => setTimeout(resolve, 1000))
      }
    }
    if (!this.microphone) this.problem.say(`The service does not answer.${kept} Press Record when it is there again.`)
  }

  private ended(kept: string): void {
    this.problem.say(`Your session has ended: the service was restarted, or somebody signed out.${kept} Sign in and press Record to go on.`)
    noteSessionEnded()
  }

  private show(recording: boolean): void {
    this.record.textContent = recording ? 'Stop' : 'Record'
    this.record.setAttribute('aria-pressed', String(recording))
    if (!recording) (this.meter.firstElementChild as HTMLElement).style.transform = 'scaleX(0)'
    this.clear.disabled = this.erase.disabled = recording || this.calls.length === 0
  }

  private reset(): void {
    this.lines.length = this.calls.length = 0
    for (const element of [this.finals, this.partial, this.receipts]) element.replaceChildren()
    this.note.textContent = this.delay.textContent = ''
    this.exports.enable(false)
    this.clear.disabled = this.erase.disabled = true
  }

  // What the service still knows: facts about each call, without what was said.
  private async forgetCalls(): Promise<void> {
    this.erase.disabled = true
    this.problem.clear()
    try {
      const erasures = []
      for (const { id, appId } of this.calls) erasures.push(await forget({ voice_id: id }, appId))
      replace(this.receipts, receiptList(erasures))
      this.calls.length = 0
    } catch (error) {
      this.problem.say(told(error))
      this.erase.disabled = false
    }
  }
}

export const speak: Page = {
  id: 'speak', title: 'Speak', make: context => ({ element: new Speak(context).element() }),
}
