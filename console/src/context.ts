// What the pages share.

import type { Application, Service } from './api'

export interface Context {
  service: Service
  /** The application that calls are made for. */
  readonly application: Application
  /** Looks again which applications there are. */
  applicationsChanged(): Promise<void>
  /** Told 'application' when another one is chosen, and 'signed-out' when the session is over. */
  readonly events: EventTarget
  /** What is going on that keeps the session, and that leaving the page would cut off. */
  readonly working: Set<object>
}

/** A page is made once, when it is first shown, so that what is on it stays while others are. */
export interface Page {
  readonly id: string
  readonly title: string
  make(context: Context): { element: HTMLElement, shown?(): void }
}
