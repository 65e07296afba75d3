// Speak: the microphone through the realtime interface, words as they settle.

import { noteSessionEnded, session, told } from './api'
import type { Context, Page } from './context'
import { alertBox, button, field, h, replace, select, span, statusLine } from './dom'
import { exportBar } from './export_bar'
import { forget, receiptBox, type Erasure } from './forget'
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

/** From Record to the last word of its call, which may come after the next one was begun. */
interface Recording {
  readonly microphone: Microphone
  readonly call: LiveCall
  /** Of the call's times in the transcript, in seconds. */
  readonly offset: number
  readonly partial: HTMLElement
  /** performance.now() at the call's first sample. */
  began: number
  /** Seconds of audio. */
  sent: number
  delays: number[]
}

class Speak {
  private readonly record = button('Record', () => void this.toggle(), 'primary record')
  private readonly meter = h('div', { class: 'level' }, h('div', {}))
  private readonly note = statusLine()
  private readonly delay = h('span', {}, '–')
  private readonly elapsed = h('span', {}, '00:00')
  private readonly finals = h('ol', { class: 'lines', role: 'log', 'aria-label': 'What was said', 'aria-live': 'polite' })
  // Not said aloud: it changes all the time.
  private readonly partials = h('div', { 'aria-hidden': 'true' })
  private readonly problem = alertBox()
  private readonly receipts = receiptBox()
  private readonly erasures: Erasure[] = []
  private readonly exports = exportBar(() => this.lines, () => 'recording')
  private readonly clear = button('Clear', () => this.reset(), 'quiet')
  private readonly erase = button('Forget these calls', () => void this.forgetCalls(), 'quiet')
  private readonly lines: Line[] = []
  private readonly calls: { id: string, appId: number }[] = []
  private engine: string
  private recording: Recording | null = null   // while the microphone is open
  private readonly unsettled = new Set<Recording>()

  constructor(private readonly context: Context) {
    this.engine = context.service.default_engine
    this.clear.disabled = this.erase.disabled = true
    context.events.addEventListener('signed-out', () => {
      void this.stop('Your session has ended, so the recording was stopped. What was said is kept on this page.')
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
      h('div', { class: 'card transcript' }, this.finals, this.partials),
      h('p', { class: 'hint legend' }, 'Words the service is ', h('span', { class: 'unsure' }, 'less sure'), ' or ',
        h('span', { class: 'doubtful' }, 'unsure'), ' of are underlined.'),
      h('div', { class: 'bar' }, this.exports.element, this.erase, this.clear),
      this.receipts.element)
  }

  private async toggle(): Promise<void> {
    if (this.recording) return this.stop('Stopped. The last words may still settle.')
    this.problem.clear()
    this.record.disabled = true
    let recording: Recording | null = null
    let microphone: Microphone
    try {
      microphone = await Microphone.open(block => { if (recording) this.push(recording, block) },
        () => { if (this.recording === recording) void this.stop('The microphone was taken away. What was said is kept.') })
    } catch (error) {
      this.problem.say((error as Error).message)
      return
    } finally {
      this.record.disabled = false
    }
    const { app_id } = this.context.application
    const call: LiveCall = new LiveCall(app_id, this.engine, {
      open: () => { if (this.recording === recording) this.note.textContent = 'Listening.' },
      heard: (line, final) => this.heard(recording!, line, final),
      over: failure => void this.over(recording!, failure),
    })
    const last = [...this.unsettled].at(-1)
    const offset = Math.max(this.lines.at(-1)?.end ?? 0, last ? last.offset + last.sent : 0)
    const partial = h('p', { class: 'partial' })
    recording = { microphone, call, offset, partial, began: 0, sent: 0, delays: [] }
    this.recording = recording
    this.unsettled.add(recording)
    this.partials.append(partial)
    this.calls.push({ id: call.voiceId, appId: app_id })
    this.context.working.add(recording)
    this.show()
    this.note.textContent = 'Connecting …'
  }

  private push(recording: Recording, { samples, peak }: Block): void {
    const seconds = samples.byteLength / 32_000
    if (recording.began === 0) recording.began = performance.now() - seconds * 1000
    recording.sent += seconds
    recording.call.push(samples)
    if (this.recording !== recording) return  // the last of it, after Stop
    const bar = this.meter.firstElementChild as HTMLElement
    // In decibels: from -60 to 0.
    bar.style.transform = `scaleX(${Math.max(0, 1 + Math.log10(Math.max(peak, 1e-3)) / 3)})`
    bar.classList.toggle('loud', peak > 0.98)
    this.elapsed.textContent = clock(recording.sent).slice(3, 8)
  }

  private heard(recording: Recording, line: Line, final: boolean): void {
    const { began, partial, offset } = recording
    const behind = (performance.now() - began) / 1000 - (line.words.at(-1)?.end ?? line.end)
    if (!final && behind >= 0) {
      recording.delays = [...recording.delays.slice(-8), behind]
      const sorted = [...recording.delays].sort((a, b) => a - b)
      this.delay.textContent = `${sorted[Math.floor(sorted.length / 2)]!.toFixed(1)} s`
    }
    if (!final) return replace(partial, ...wordSpans(line))
    partial.replaceChildren()
    const moved: Line = {
      ...line, start: line.start + offset, end: line.end + offset,
      words: line.words.map(word => ({ ...word, start: word.start + offset, end: word.end + offset })),
    }
    this.add(moved, h('li', {}, h('span', { class: 'time', 'aria-hidden': 'true' }, clock(moved.start).slice(3, 8)),
      h('span', {}, ...wordSpans(moved))))
  }

  // In order of time: a call's last words may come when the next one already has some.
  private add(line: Line, element: HTMLElement): void {
    let at = this.lines.length
    while (at > 0 && this.lines[at - 1]!.start > line.start) --at
    this.lines.splice(at, 0, line)
    this.finals.insertBefore(element, this.finals.children[at] ?? null)
    this.exports.enable(true)
  }

  private async stop(why: string): Promise<void> {
    const { recording } = this
    if (!recording) return
    this.recording = null
    this.show()
    this.note.textContent = why
    await recording.microphone.close()
    recording.call.finish()
  }

  // The call ended: all is said, or something went wrong in the middle.
  private async over(recording: Recording, failure: { code: number, message: string } | null): Promise<void> {
    const { partial, offset, sent } = recording
    const cut = this.recording === recording
    if (cut) this.recording = null
    void recording.microphone.close()
    this.unsettled.delete(recording)
    this.context.working.delete(recording)
    this.show()
    if (partial.textContent) {
      // Nobody will settle it any more.
      const text = partial.textContent
      const end = offset + sent
      const before = this.lines.reduce((latest, line) => line.start < end ? Math.max(latest, line.end) : latest, 0)
      this.add({ start: Math.min(end, Math.max(before, end - 1)), end, text, words: [] },
        h('li', {}, h('span', { class: 'time' }), h('span', { class: 'unsettled' }, `${text} …`)))
    }
    partial.remove()
    // What is told now is about the next recording.
    if (this.recording && !failure) return
    if (!failure) {
      if (!this.problem.element.hasChildNodes() && !this.note.textContent?.includes('session')) {
        this.note.textContent = this.lines.length > 0 ? 'Done.' : 'Nothing was heard.'
      }
      return
    }
    if (!this.recording) this.note.textContent = cut ? `The recording ended after ${span(sent)}.` : ''
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
    for (let i = 0; i < 60 && !this.recording; ++i) {
      try {
        const service = await session()
        if (!service) return this.ended(kept)
        return this.problem.say(`The connection to the service was lost, and it is there again.${kept} Press Record to go on.`)
      } catch {
        await new Promise(resolve => setTimeout(resolve, 1000))
      }
    }
    if (!this.recording) this.problem.say(`The service does not answer.${kept} Press Record when it is there again.`)
  }

  private ended(kept: string): void {
    this.problem.say(`Your session has ended: the service was restarted, or somebody signed out.${kept} Sign in and press Record to go on.`)
    noteSessionEnded()
  }

  private show(): void {
    const recording = this.recording !== null
    this.record.textContent = recording ? 'Stop' : 'Record'
    this.record.classList.toggle('on', recording)
    if (!recording) (this.meter.firstElementChild as HTMLElement).style.transform = 'scaleX(0)'
    this.clear.disabled = recording || this.calls.length === 0 && this.lines.length === 0
    this.erase.disabled = recording || this.calls.length === 0
  }

  private reset(): void {
    for (const recording of this.unsettled) {
      recording.call.abandon()
      this.context.working.delete(recording)
    }
    this.unsettled.clear()
    this.lines.length = this.calls.length = this.erasures.length = 0
    for (const element of [this.finals, this.partials]) element.replaceChildren()
    this.receipts.clear()
    this.note.textContent = this.delay.textContent = ''
    this.exports.enable(false)
    this.show()
  }

  // What the service still knows: facts about each call, without what was said.
  private async forgetCalls(): Promise<void> {
    this.erase.disabled = this.clear.disabled = true
    this.problem.clear()
    try {
      for (const call of [...this.calls]) {
        this.erasures.push(await forget({ voice_id: call.id }, call.appId))
        this.calls.splice(this.calls.indexOf(call), 1)
      }
    } catch (error) { this.problem.say(told(error)) }
    // Those before the one that failed are forgotten all the same.
    if (this.erasures.length > 0) this.receipts.show(this.erasures)
    this.show()
  }
}

export const speak: Page = {
  id: 'speak', title: 'Speak', make: context => ({ element: new Speak(context).element() }),
}
