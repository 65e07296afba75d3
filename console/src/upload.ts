// A recording to the service, with the progress of sending it.

import { CallError, headers, noteSessionEnded, session } from './api'
import type { Line, Word } from './transcript'

interface Answer {
  text: string
  duration: number
  segments?: { start: number, end: number, text: string }[]
  words?: { word: string, start: number, end: number }[]
}

export interface Transcribed { id: string, duration: number, lines: Line[] }

/** Words belong to the segment in whose time they begin. */
function lines({ segments = [], words = [] }: Answer): Line[] {
  let next = 0
  return segments.map((segment, i) => {
    const until = segments[i + 1]?.start ?? Infinity
    const own: Word[] = []
    for (; next < words.length && words[next]!.start < until; ++next) {
      const { word, start, end } = words[next]!
      own.push({ text: word, start, end })
    }
    return { start: segment.start, end: segment.end, text: segment.text.trim(), words: own }
  })
}

/** Rejects with a CallError. `sent` is told from 0 to 1. */
export function transcribe(file: File, appId: number, sent: (part: number) => void, signal: AbortSignal): Promise<Transcribed> {
  const form = new FormData()
  form.append('model', 'whisper-1')
  form.append('response_format', 'verbose_json')
  form.append('timestamp_granularities[]', 'segment')
  form.append('timestamp_granularities[]', 'word')
  form.append('file', file)
  const request = new XMLHttpRequest()
  return new Promise((resolve, reject) => {
    request.open('POST', '/v1/audio/transcriptions')
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value)
    request.setRequestHeader('X-Lethe-Application', String(appId))
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => sent(total > 0 ? loaded / total : 0)
    request.onerror = () => reject(new CallError(0, 'unreachable',
      'The connection to the service was lost while the file was being worked on.'))
    request.onabort = () => reject(new CallError(0, 'stopped', 'Stopped.'))
    request.onload = async () => {
      if (request.status === 200) {
        const answer = request.response as Answer
        return resolve({ id: request.getResponseHeader('x-request-id') ?? '', duration: answer.duration, lines: lines(answer) })
      }
      const { code = '', message = `the service answered ${request.status}` } = request.response?.error ?? {}
      // It may as well be the application that is refused.
      const ended = request.status === 401 && await session().catch(() => undefined) === null
      if (ended) noteSessionEnded()
      reject(new CallError(request.status, code, ended ? 'Your session has ended; sign in and try again.' : message))
    }
    signal.addEventListener('abort', () => request.abort())
    request.send(form)
  })
}
