// Drop: recordings to text, with what was said under its waveform.

import { CallError, told, type Application } from './api'
import type { Context, Page } from './context'
import { alertBox, button, h, replace, size } from './dom'
import { exportBar } from './export_bar'
import { forget, receiptBox } from './forget'
import { subtitleEditor } from './subtitles'
import { clock, type Line, type Word } from './transcript'
import { transcribe, type Transcribed } from './upload'
import { draw, peaksOf, type Peaks } from './waveform'

/** A recording on the page: on its way, then what was said in it. */
class Recording {
  readonly element: HTMLElement
  private readonly state = h('p', { class: 'status', role: 'status' }, 'Waiting for the one before …')
  private readonly progress = h('progress', { max: 1, value: 0, 'aria-label': 'Progress' })
  private readonly problem = alertBox()
  private readonly result = h('div', {})
  private readonly stop = new AbortController()
  private readonly cancel = button('Stop', () => this.abort(), 'quiet')
  // For which it was dropped, whichever is chosen when its turn comes.
  private readonly application: Application
  private readonly url: string

  constructor(private readonly context: Context, private readonly file: File, remove: (self: Recording) => void) {
    this.url = URL.createObjectURL(file)
    this.application = context.application
    this.element = h('li', { class: 'card recording' },
      h('div', { class: 'head' }, h('h2', {}, file.name), h('span', { class: 'hint' }, `${size(file.size)}, for ${this.application.name}`),
        this.cancel, button('Remove', () => { this.stop.abort(); URL.revokeObjectURL(this.url); remove(this) }, 'quiet')),
      this.state, this.progress, this.problem.element, this.result)
  }

  private abort(): void {
    this.stop.abort()
    if (this.context.working.has(this)) return  // then the call tells
    this.state.textContent = 'Stopped before it was sent.'
    this.progress.hidden = this.cancel.hidden = true
  }

  async work(): Promise<void> {
    if (this.stop.signal.aborted) return
    this.context.working.add(this)
    this.problem.clear()
    this.progress.hidden = this.cancel.hidden = false
    this.state.textContent = 'Sending …'
    try {
      const transcribed = await transcribe(this.file, this.application.app_id, part => {
        if (part < 1) { this.progress.value = part; return }
        this.progress.removeAttribute('value')
        this.state.textContent = 'Sent; it is being transcribed …'
      }, this.stop.signal)
      this.state.textContent = ''
      this.show(transcribed)
    } catch (error) {
      this.state.textContent = ''
      const again = !(error instanceof CallError && error.code === 'stopped' && this.stop.signal.aborted)
      this.problem.say(told(error), again && button('Try again', () => void this.work()))
    } finally {
      this.progress.hidden = this.cancel.hidden = true
      this.context.working.delete(this)
    }
  }

  private show({ id, duration, lines }: Transcribed): void {
    const audio = h('audio', { controls: true, src: this.url, preload: 'metadata' })
    const canvas = h('canvas', { class: 'wave', 'aria-hidden': 'true' })
    const unplayable = h('p', { class: 'hint', hidden: true }, 'This browser cannot play this kind of file; its text is all there.')
    audio.addEventListener('error', () => { audio.hidden = true; unplayable.hidden = false })
    let until = Infinity
    const play = (from: number, to = Infinity) => {
      until = to
      audio.currentTime = from
      void audio.play().catch(() => {})
    }
    const words = new Words(lines, word => play(word.start))
    let peaks: Peaks | null = null
    let frame = 0
    const follow = () => {
      cancelAnimationFrame(frame)
      if (audio.currentTime >= until) { audio.pause(); until = Infinity }
      words.mark(audio.currentTime)
      if (peaks) draw(canvas, peaks, audio.currentTime / peaks.duration)
      if (!audio.paused) frame = requestAnimationFrame(follow)
    }
    for (const event of ['play', 'seeked', 'pause']) audio.addEventListener(event, follow)
    canvas.addEventListener('click', ({ offsetX }) => play(offsetX / canvas.clientWidth * (peaks?.duration ?? duration)))
    void peaksOf(this.file, duration).then(found => {
      peaks = found
      if (found) new ResizeObserver(follow).observe(canvas)
      else canvas.hidden = true
    })
    const name = this.file.name.replace(/\.[^.]*$/, '') || 'recording'
    const exports = exportBar(() => lines, () => name)
    exports.enable(lines.length > 0)
    const receipts = receiptBox()
    const erase = button('Forget this call', async () => {
      try { receipts.show([await forget({ call_id: id })]) } catch (error) { this.problem.say(told(error)) }
    }, 'quiet')
    replace(this.result, canvas, audio, unplayable,
      lines.length === 0 && h('p', {}, 'Nobody was heard to speak in this recording.'),
      words.element, h('div', { class: 'bar' }, exports.element, id !== '' && erase), receipts.element,
      lines.length > 0 && subtitleEditor(lines, play))
  }
}

/** What was said, word by word: a word can be clicked to hear it; arrow keys go from one to the next. */
class Words {
  readonly element: HTMLElement
  private readonly words: Word[] = []
  private readonly buttons: HTMLElement[] = []
  private current = -1

  constructor(lines: Line[], onpick: (word: Word) => void) {
    this.element = h('div', { class: 'words', role: 'group', 'aria-label': 'What was said; choose a word to hear it' },
      ...lines.map(line => h('p', {}, h('span', { class: 'time', 'aria-hidden': 'true' }, clock(line.start).slice(3, 8)), ' ',
        ...line.words.flatMap(word => {
          const element = h('button', { type: 'button', class: 'word', tabindex: this.buttons.length === 0 ? 0 : -1, onclick: () => onpick(word) }, word.text)
          this.words.push(word)
          this.buttons.push(element)
          return [element, document.createTextNode(' ')]
        }), line.words.length === 0 && line.text)))
    this.element.addEventListener('keydown', event => this.move(event))
  }

  mark(time: number): void {
    let found = this.words.findIndex(({ end }) => end > time)
    if (found >= 0 && this.words[found]!.start > time) found = -1
    if (found === this.current) return
    this.buttons[this.current]?.removeAttribute('aria-current')
    this.buttons[found]?.setAttribute('aria-current', 'true')
    this.current = found
  }

  private move(event: KeyboardEvent): void {
    const at = this.buttons.indexOf(document.activeElement as HTMLElement)
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1
      : event.key === 'Home' ? -at : event.key === 'End' ? this.buttons.length - 1 - at : 0
    const next = this.buttons[at + step]
    if (at < 0 || step === 0 || !next) return
    event.preventDefault()
    this.buttons[at]!.tabIndex = -1
    next.tabIndex = 0
    next.focus()
  }
}

class Drop {
  private readonly list = h('ul', { class: 'plain', 'aria-label': 'Recordings' })
  private readonly problem = alertBox()
  private queue: Promise<void> = Promise.resolve()

  constructor(private readonly context: Context) {}

  element(): HTMLElement {
    const input = h('input', { type: 'file', multiple: true, class: 'hidden', tabindex: -1, 'aria-hidden': 'true',
      onchange: () => { this.take([...input.files ?? []]); input.value = '' } })
    const zone = h('div', {
      class: 'zone',
      ondragover: event => { event.preventDefault(); zone.classList.add('over') },
      ondragleave: () => zone.classList.remove('over'),
      ondrop: event => {
        event.preventDefault()
        zone.classList.remove('over')
        this.take([...(event as DragEvent).dataTransfer?.files ?? []])
      },
    }, h('p', {}, 'Drop recordings here, or'), button('Choose files', () => input.click(), 'primary'), input,
      h('p', { class: 'hint' }, `Audio or video: wav, mp3, m4a, flac, ogg, webm, mp4 and others, up to ${size(this.context.service.max_file)} each.`))
    return h('section', { 'aria-labelledby': 'drop-title' },
      h('h1', { id: 'drop-title' }, 'Drop'),
      h('p', { class: 'lead' }, 'Recordings become text and subtitles. The service keeps neither: what you hear and see here is this browser’s own copy.'),
      zone, this.problem.element, this.list)
  }

  // One after the other: each has the whole line, and the service the next as soon as it is done.
  private take(files: File[]): void {
    this.problem.clear()
    const most = this.context.service.max_file
    const refused = files.filter(file => file.size > most)
    if (refused.length > 0) {
      this.problem.say(`Not sent, since this service takes up to ${size(most)} at once: ` +
        refused.map(file => `${file.name} (${size(file.size)})`).join(', ') +
        '. Longer recordings go to it as tasks (CreateRecTask), by URL, or through lethe transcribe on the machine.')
    }
    const empty = files.filter(file => file.size === 0)
    if (empty.length > 0) this.problem.say(`Not sent, since there is nothing in it: ${empty.map(file => file.name).join(', ')}.`)
    for (const file of files.filter(({ size: bytes }) => bytes > 0 && bytes <= most)) {
      const recording = new Recording(this.context, file, self => self.element.remove())
      this.list.prepend(recording.element)
      this.queue = this.queue.then(() => recording.work())
    }
  }
}

export const drop: Page = { id: 'drop', title: 'Drop', make: context => ({ element: new Drop(context).element() }) }
