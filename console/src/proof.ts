// Verifies a receipt of the ledger in the browser (docs/ledger.md): that its leaf says what it says,
// is in the tree of the head, and that the head is signed by a given key.

export interface Receipt {
  format: string
  says: Record<string, string | number>
  leaf: string
  number: number
  proof: string[]
  head: string
  opening?: string
}

/** A leaf in words: all of it but the item's reference and the periods of policies and epochs. */
export interface Says {
  kind: string
  class: string
  items: number
  region: string
  time: number
  due?: number
  cause?: string
  creation?: number
}

/** null: this browser cannot tell. */
export interface Check { what: string, holds: boolean | null }

const KINDS = ['', 'created', 'erased', 'refused', 'policy_changed', 'epoch_key_destroyed']
const CLASSES = ['', 'audio', 'result', 'operation_log', 'monitoring']
const CAUSES = ['', 'expired', 'requested', 'consent_withdrawn', 'task_ended', 'tenant_removed', 'lost']
const LEAF = 96
const NO_LEAF = 0xffff_ffff_ffff_ffffn

export type Bytes = Uint8Array<ArrayBuffer>

export function bytesOf(base64: string): Bytes {
  return Uint8Array.from(atob(base64), character => character.charCodeAt(0))
}

function join(...parts: (Bytes | number[])[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { bytes.set(part, at); at += part.length }
  return bytes
}

export async function sha256(...parts: (Bytes | number[])[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)))
}

export const same = (a: Bytes, b: Bytes) => a.length === b.length && a.every((byte, i) => byte === b[i])

/** What the leaf says, read from its bytes and from nothing else. */
export function readLeaf(leaf: string): Says | null {
  const bytes = bytesOf(leaf)
  if (bytes.length !== LEAF || bytes[0] !== 1) return null
  const view = new DataView(bytes.buffer)
  const due = Number(view.getBigUint64(16)), creation = view.getBigUint64(24)
  return {
    kind: KINDS[bytes[1]!] ?? '', class: CLASSES[bytes[2]!] ?? '', items: view.getUint32(4),
    region: String.fromCharCode(...bytes.slice(64, 80)).replace(/\0+$/, ''), time: Number(view.getBigUint64(8)),
    ...due === 0 ? {} : { due },
    ...bytes[3] === 0 ? {} : { cause: CAUSES[bytes[3]!] ?? '' },
    ...creation === NO_LEAF ? {} : { creation: Number(creation) },
  }
}

// RFC 9162, section 2.1.3.2.
async function rootOf(leaf: Bytes, number: number, size: number, proof: Bytes[]): Promise<Bytes | null> {
  if (number >= size) return null
  let [fn, sn] = [number, size - 1]
  let root = await sha256([0], leaf)
  for (const node of proof) {
    if (sn === 0) return null
    if (fn % 2 === 1 || fn === sn) {
      root = await sha256([1], node, root)
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2) }
    } else {
      root = await sha256([1], root, node)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 ? root : null
}

export interface Head {
  origin: string
  size: number
  root: Bytes
  /** Seconds since 1970, as its signer believed. */
  time: number
  /** What is signed. */
  text: string
  signatures: string[]
}

export function readHead(head: string): Head | null {
  const end = head.indexOf('\n\n')
  if (end < 0) return null
  const text = head.slice(0, end + 1)
  const [origin = '', size = '', root = '', time = ''] = text.split('\n')
  if (!/^\d{1,15}$/.test(size) || !/^time \d{1,15}$/.test(time)) return null
  const signatures = head.slice(end + 2).split('\n').filter(line => line.startsWith(`— ${origin} `))
    .map(line => line.slice(origin.length + 3))
  return { origin, size: Number(size), root: bytesOf(root), time: Number(time.slice(5)), text, signatures }
}

// `key` is origin+id+base64, the base64 that of 0x01 and the key's 32 bytes.
export async function isSigned(head: string, key: string): Promise<boolean | null> {
  const read = readHead(head)
  const [origin, id, ...rest] = key.split('+')
  if (!read || origin !== read.origin || id === undefined) return false
  const encoded = bytesOf(rest.join('+'))
  if (encoded.length !== 33 || encoded[0] !== 1) return false
  const number = await sha256([...new TextEncoder().encode(`${origin}\n`)], encoded)
  let publicKey: CryptoKey
  try {
    publicKey = await crypto.subtle.importKey('raw', encoded.slice(1), 'Ed25519', false, ['verify'])
  } catch {
    return null
  }
  for (const signature of read.signatures.map(bytesOf)) {
    if (!same(signature.slice(0, 4), number.slice(0, 4))) continue
    if (await crypto.subtle.verify('Ed25519', publicKey, signature.slice(4),
      new TextEncoder().encode(read.text))) return true
  }
  return false
}

/** Verifies a receipt; without keys, all but the signature. */
export async function verify(receipt: Receipt, keys: string[]): Promise<Check[]> {
  if (!crypto.subtle) {
    return [{ what: 'this browser computes hashes only for pages that came over TLS (https) or from this machine', holds: null }]
  }
  try {
    const leaf = readLeaf(receipt.leaf)
    // Every field, and none besides.
    const sorted = (says: object) => JSON.stringify(Object.entries(says).sort(([a], [b]) => a < b ? -1 : 1))
    const agrees = leaf !== null && sorted(receipt.says) === sorted(leaf)
    const head = readHead(receipt.head)
    const root = head && await rootOf(bytesOf(receipt.leaf), receipt.number, head.size, receipt.proof.map(bytesOf))
    let signed: boolean | null = keys.length === 0 ? null : false
    for (const key of keys) {
      const by = await isSigned(receipt.head, key)
      if (by !== false) signed = by
      if (by) break
    }
    return [
      { what: 'the leaf says what the receipt says', holds: agrees },
      { what: `the leaf is number ${receipt.number} of ${head?.size ?? '?'} in the tree of the head`, holds: !!head && !!root && same(root, head.root) },
      {
        what: signed !== null ? 'the head is signed with this ledger’s key'
          : keys.length === 0 ? 'no key of the ledger is known here to hold the signature against'
            : 'this browser does not know Ed25519, so the signature was not looked at', holds: signed,
      },
    ]
  } catch {
    return [{ what: 'the receipt can be read', holds: false }]
  }
}
