// An S3 server for tests that is not ours: s3rver keeps the objects, as files. In front of it stands
// what it lacks of S3:
//   - It does not look at signatures of version 4. Each request is signed again by the signer of AWS's
//     own SDK, and refused if that gives another signature or, for a body that was hashed, another
//     hash.
//   - It stores the beginning of a body that was cut off. It gets whole ones only.
//   - It ends when one call removes the folder that another one has just made. It gets one at a time.
//
//   node --openssl-legacy-provider server.mjs FOLDER BUCKET...
//
// prints the port it listens on, on 127.0.0.1, and ends when its standard input does. (s3rver makes
// its continuation tokens with DES, which is in the legacy provider.) Keys: S3RVER, S3RVER.

import { createHash } from 'node:crypto'
import http from 'node:http'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import S3rver from 's3rver'

const [folder, ...buckets] = process.argv.slice(2)
const server = await new S3rver({
  address: '127.0.0.1',
  port: 0,
  silent: true,
  directory: folder,
  configureBuckets: buckets.map((name) => ({ name, configs: [] })),
}).run()

async function expectedSignature(request, url) {
  const scope = /Credential=[^/]+\/\d+\/([^/]+)\/s3\/aws4_request/.exec(request.headers.authorization)
  const names = /SignedHeaders=([^,]+)/.exec(request.headers.authorization)[1].split(';')
  const signer = new SignatureV4({
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    region: scope[1],
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
  const [year, month, day, hour, minute, second] = request.headers['x-amz-date'].match(/^\d{4}|\d{2}/g)
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: Object.fromEntries(names.map((name) => [name, request.headers[name]])),
    },
    {
      signingDate: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`),
      signableHeaders: new Set(names),
    },
  )
  return signed.headers.authorization
}

function refuse(response, status, code) {
  response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`)
}

async function signatureIsRight(request) {
  try {
    const url = new URL(request.url, `http://${request.headers.host}`)
    // S3 wants all of its own headers signed.
    const unsigned = Object.keys(request.headers).filter(
      (name) => name.startsWith('x-amz-') && !request.headers.authorization.includes(name),
    )
    return (
      unsigned.length === 0 &&
      (await expectedSignature(request, url)) === request.headers.authorization
    )
  } catch {
    return false
  }
}

async function readBody(request) {
  const pieces = []
  for await (const piece of request) pieces.push(piece)
  return Buffer.concat(pieces)
}

function forward(request, body, response) {
  return new Promise((resolve) => {
    const behind = http.request({
      host: server.address,
      port: server.port,
      method: request.method,
      path: request.url,
      headers: request.headers,
    })
    behind.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers)
      answer.pipe(response)
      answer.on('close', resolve)
    })
    behind.on('error', () => resolve(response.destroy()))
    response.on('close', () => resolve(behind.destroy()))
    behind.end(body)
  })
}

let last = Promise.resolve()
const front = http.createServer(async (request, response) => {
  if (!(await signatureIsRight(request))) return refuse(response, 403, 'SignatureDoesNotMatch')
  let body
  try {
    body = await readBody(request)
  } catch {
    return response.destroy() // cut off
  }
  const hash = request.headers['x-amz-content-sha256']
  if (hash !== 'UNSIGNED-PAYLOAD' && createHash('sha256').update(body).digest('hex') !== hash) {
    return refuse(response, 400, 'XAmzContentSHA256Mismatch')
  }
  last = last.then(() => forward(request, body, response))
})
front.listen(0, '127.0.0.1', () => console.log(front.address().port))
process.stdin.on('end', () => process.exit(0)).resume()
