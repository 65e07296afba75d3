// Verifies a head of the ledger in the browser: that it is signed, and that the ledger goes on from the
// head this browser verified last (docs/ledger.md).

import { bytesOf, isSigned, readHead, same, sha256, type Bytes, type Check } from './proof'

/** What `GET /lethe/v1/ledger` answers. */
export interface Published {
  head: string
  keys: string[]
  consistency?: { from: number, proof: string[] }
}

/** What was verified last. */
export interface Seen { head: string, keys: string[] }

export interface Verdict {
  checks: Check[]
  signed: boolean | null
  /** Whether the ledger goes on from what was seen; null: nothing was seen, or that could not be told. */
  goesOn: boolean | null
}

// Exact above 2^32, where operators on bits are not.
function isPowerOfTwo(n: number): boolean {
  while (n % 2 === 0) n /= 2
  return n === 1
}

/** RFC 9162, section 2.1.4.2: whether the first `from` of `size` leaves are what they were. */
export async function goesOn(from: number, size: number, oldRoot: Bytes, newRoot: Bytes, proof: Bytes[]): Promise<boolean> {
  if (from > size) return false
  if (from === size) return proof.length === 0 && same(oldRoot, newRoot)
  if (from === 0) return proof.length === 0
  // A power of two is a tree whose root the proof leaves out.
  const path = isPowerOfTwo(from) ? [oldRoot, ...proof] : proof
  if (path.length === 0) return false
  let [fn, sn] = [from - 1, size - 1]
  while (fn % 2 === 1) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2) }
  let fr = path[0]!, sr = path[0]!
  for (const node of path.slice(1)) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      fr = await sha256([1], node, fr)
      sr = await sha256([1], node, sr)
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2) }
    } else {
      sr = await sha256([1], sr, node)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && same(fr, oldRoot) && same(sr, newRoot)
}

// `proof`: it is the one that everything before is as it was.
interface Compared extends Check { proof?: true }

const leaves = (n: number) => `${n.toLocaleString('en')} ${n === 1 ? 'leaf' : 'leaves'}`

async function compare(published: Published, seen: Seen): Promise<Compared[]> {
  const head = readHead(published.head)!, old = readHead(seen.head)
  if (!old) return [{ what: 'the head this browser remembers can be read', holds: false }]
  const { consistency } = published
  const checks: Compared[] = [
    { what: 'it is the ledger this browser knows, by its name', holds: head.origin === old.origin },
    { what: 'its keys begin with those this browser knows', holds: seen.keys.every((key, i) => key === published.keys[i]) },
  ]
  if (published.keys.length > seen.keys.length) {
    checks.push({ what: 'another key has taken over since; the head in which the old one hands over is not looked at here, lethe ledger verify does', holds: null })
  }
  const what = `nothing was changed, dropped or put in among the first ${leaves(old.size)}, which this browser saw before`
  if (head.size < old.size) {
    checks.push({ what: `it has not become shorter: this browser saw ${leaves(old.size)}, now there are ${leaves(head.size)}`, holds: false })
  } else if (head.size > old.size && consistency?.from !== old.size) {
    checks.push({ what: `${what}: the service gave no proof of it`, holds: null, proof: true })
  } else {
    const proof = (consistency?.proof ?? []).map(bytesOf)
    checks.push({ what, holds: await goesOn(old.size, head.size, old.root, head.root, proof) })
  }
  checks.push({ what: 'its time has not gone back', holds: head.time >= old.time })
  return checks
}

/** Verifies a head; `seen` is what this browser verified last, null if it never did. */
export async function verifyHead(published: Published, seen: Seen | null): Promise<Verdict> {
  const only = (what: string, holds: false | null): Verdict => ({ checks: [{ what, holds }], signed: holds, goesOn: null })
  if (!crypto.subtle) return only('this browser computes hashes only for pages that came over TLS (https) or from this machine', null)
  try {
    if (!readHead(published.head)) return only('the head can be read', false)
    const key = published.keys.at(-1)
    const signed = key === undefined ? false : await isSigned(published.head, key)
    const what = signed === null ? 'this browser does not know Ed25519, so the signature was not looked at' : 'the head is signed with this ledger’s key'
    const compared: Compared[] = seen ? await compare(published, seen)
      : [{ what: 'this browser saw no head before, so there is nothing to hold it against yet', holds: null }]
    const goesOn = compared.some(({ holds }) => holds === false) ? false
      : !seen || compared.some(({ proof, holds }) => proof && holds === null) ? null : true
    return { checks: [{ what, holds: signed }, ...compared], signed, goesOn }
  } catch {
    return only('the head and its proof can be read', false)
  }
}
