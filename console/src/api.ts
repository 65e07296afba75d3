// Calls of the service. Each says that it comes from here, which pages of others cannot.

export interface Service {
  signed_in: true
  ends_in: number
  version: string
  engines: string[]
  default_engine: string
  max_file: number
}

export interface Application {
  app_id: number
  uin: number
  name: string
  enabled: boolean
  consent_required: boolean
}

export class CallError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) { super(message) }
}

// The cookie goes to every port of this host; this, its other half, to this origin alone.
const TOKEN = 'lethe-console-token'

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (text: string) => sessionStorage.setItem(TOKEN, text),
  remove: () => sessionStorage.removeItem(TOKEN),
}
const fromHere = (secret: string | null) => ({ 'X-Lethe-Console': secret ?? '1' })
export const headers = () => fromHere(token.get())
/** For WebSockets, which can set no headers. */
export const protocols = () => ['lethe-console', `lethe-console.${token.get() ?? ''}`]

const UNREACHABLE = 'The service does not answer. It may be restarting; try again in a moment.'

/** Told when the session is found to be over. */
export const sessionEnded = new EventTarget()
export function noteSessionEnded(): void { sessionEnded.dispatchEvent(new Event('ended')) }

async function ask<Answer>(method: string, path: string, body: unknown, secret: string | null): Promise<{ answer: Answer, date: number }> {
  let response: Response
  let answer: any
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? fromHere(secret) : { ...fromHere(secret), 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
    })
    answer = await response.json()
  } catch {
    throw new CallError(0, 'unreachable', UNREACHABLE)
  }
  if (response.ok) return { answer: answer as Answer, date: Date.parse(response.headers.get('Date') ?? '') / 1000 }
  const { code = '', message = `the service answered ${response.status}` } = answer.error ?? {}
  // Whoever asks for the session itself sees it in the answer.
  if (response.status === 401 && code === 'unauthenticated' && path.startsWith('/')) noteSessionEnded()
  throw new CallError(response.status, code, message)
}

export async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  return (await ask<Answer>(method, path, body, token.get())).answer
}

/** An answer, and what time it is at the service, in seconds since 1970. */
export async function timed<Answer extends object>(path: string): Promise<{ answer: Answer, now: number }> {
  const { answer, date } = await ask<Answer & { now?: number }>('GET', `/lethe/v1/${path}`, undefined, token.get())
  return { answer, now: answer.now ?? (Number.isNaN(date) ? Date.now() / 1000 : date) }
}

/** Who is signed in; null: nobody. `active` when somebody is at work, which keeps the session. */
export async function session(active = false): Promise<Service | null> {
  if (token.get() === null) return null
  const path = active ? 'session?active=1' : 'session'
  try {
    const answer = await call<Service | { signed_in: false }>('GET', path)
    return answer.signed_in ? answer : null
  } catch (error) {
    if (error instanceof CallError && error.status === 401) return null
    throw error
  }
}

export async function signIn(password: string): Promise<Service> {
  const { answer } = await ask<Service & { token: string }>('POST', 'session', { password }, null)
  token.set(answer.token)
  return answer
}

export async function signOut(): Promise<void> {
  try {
    await call('DELETE', 'session')
  } catch (error) {
    // There was none any more.
    if (!(error instanceof CallError) || error.status !== 401) throw error
  }
  token.remove()
}

export const own = <Answer>(method: string, path: string, body?: unknown) =>
  call<Answer>(method, `/lethe/v1/${path}`, body)

/** What went wrong, for people. */
export function told(error: unknown): string {
  if (!(error instanceof CallError)) return `Something went wrong in this page: ${String(error)}`
  const text = error.message.charAt(0).toUpperCase() + error.message.slice(1)
  return /[.!?]$/.test(text) ? text : `${text}.`
}
