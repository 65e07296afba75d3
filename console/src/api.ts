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

export const HEADERS = { 'X-Lethe-Console': '1' }
const UNREACHABLE = 'The service does not answer. It may be restarting; try again in a moment.'

/** Told when the session is found to be over. */
export const sessionEnded = new EventTarget()
export function noteSessionEnded(): void { sessionEnded.dispatchEvent(new Event('ended')) }

export async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  let response: Response
  let answer: any
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? HEADERS : { ...HEADERS, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
    })
    answer = await response.json()
  } catch {
    throw new CallError(0, 'unreachable', UNREACHABLE)
  }
  if (response.ok) return answer as Answer
  const { code = '', message = `the service answered ${response.status}` } = answer.error ?? {}
  if (response.status === 401 && code === 'unauthenticated') noteSessionEnded()
  throw new CallError(response.status, code, message)
}

/** Who is signed in; null: nobody. `active` when somebody is at work, which keeps the session. */
export async function session(active = false): Promise<Service | null> {
  const path = active ? 'session?active=1' : 'session'
  const answer = await call<Service | { signed_in: false }>('GET', path)
  return answer.signed_in ? answer : null
}

export const signIn = (password: string) => call<Service>('POST', 'session', { password })
export const signOut = () => call('DELETE', 'session')
export const own = <Answer>(method: string, path: string, body?: unknown) =>
  call<Answer>(method, `/lethe/v1/${path}`, body)

/** What went wrong, for people. */
export function told(error: unknown): string {
  if (!(error instanceof CallError)) return `Something went wrong in this page: ${String(error)}`
  const text = error.message.charAt(0).toUpperCase() + error.message.slice(1)
  return /[.!?]$/.test(text) ? text : `${text}.`
}
