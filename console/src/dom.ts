// Elements, made without markup: text is always text, whatever is in it.

export type Child = Node | string | null | undefined | false
type Attribute = string | number | boolean | undefined | ((event: Event) => void)

/** An element. `onclick` and the like are listeners; true is an attribute without a value, false
 * and undefined none. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, Attribute> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value))
  }
  append(element, children)
  return element
}

export function append(element: Element, children: Child[]): void {
  for (const child of children) if (child) element.append(child)
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren()
  append(element, children)
}

let numbers = 0
/** A label and what it is for. */
export function field(text: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id ||= `field-${++numbers}`
  const label = h('label', { for: control.id }, text)
  if (!hint) return h('div', { class: 'field' }, label, control)
  const note = h('p', { class: 'hint', id: `${control.id}-hint` }, hint)
  control.setAttribute('aria-describedby', note.id)
  return h('div', { class: 'field' }, label, control, note)
}

export function button(text: string, onclick: () => void, kind = ''): HTMLButtonElement {
  return h('button', { type: 'button', class: kind || undefined, onclick: () => onclick() }, text)
}

export function select(options: [value: string, text: string][], onchange: (value: string) => void,
  chosen?: string): HTMLSelectElement {
  const element = h('select', { onchange: () => onchange(element.value) },
    ...options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)))
  return element
}

/** A line that screen readers say when it changes. */
export function statusLine(): HTMLElement {
  return h('p', { class: 'status', role: 'status' })
}

/** A box for what went wrong; screen readers say it at once. */
export function alertBox(): { element: HTMLElement, say(text: string, ...more: Child[]): void, clear(): void } {
  const element = h('div', { role: 'alert' })
  return {
    element,
    say: (text, ...more) => replace(element, h('div', { class: 'alert' }, h('p', {}, text), ...more)),
    clear: () => element.replaceChildren(),
  }
}

/** Saves a text as a file. */
export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  h('a', { href: url, download: name }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB']
  let unit = 0
  while (bytes >= 1024 && unit < 3) { bytes /= 1024; ++unit }
  return `${unit === 0 ? bytes : bytes.toFixed(bytes < 10 ? 1 : 0)} ${units[unit]}`
}

/** "3 d 4 h", "2 h 05 min", "41 s": the two largest units. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  if (s >= 86_400) return `${Math.floor(s / 86_400)} d ${Math.floor(s % 86_400 / 3600)} h`
  if (s >= 3600) return `${Math.floor(s / 3600)} h ${two(Math.floor(s % 3600 / 60))} min`
  if (s >= 60) return `${Math.floor(s / 60)} min ${two(s % 60)} s`
  return `${s} s`
}

export function when(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toLocaleString(undefined,
    { dateStyle: 'medium', timeStyle: 'medium' })
}
