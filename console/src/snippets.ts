// What clients have to be told, with this service's address in it. No key is: those are put in by
// whoever has them.

export interface Snippet { title: string, text(origin: string, appId: number): string }

const host = (origin: string) => new URL(origin).host
const scheme = (origin: string) => new URL(origin).protocol

export const SNIPPETS: Snippet[] = [
  {
    title: 'curl',
    text: origin => `curl ${origin}/v1/audio/transcriptions \\
  -H "Authorization: Bearer $LETHE_KEY" \\
  -F model=whisper-1 -F file=@talk.mp3`,
  },
  {
    title: 'OpenAI, Python',
    text: origin => `import os
from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key=os.environ["LETHE_KEY"])
with open("talk.mp3", "rb") as file:
    print(client.audio.transcriptions.create(model="whisper-1", file=file).text)`,
  },
  {
    title: 'OpenAI, Node',
    text: origin => `import { createReadStream } from 'node:fs'
import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${origin}/v1', apiKey: process.env.LETHE_KEY })
const { text } = await client.audio.transcriptions.create({
  model: 'whisper-1', file: createReadStream('talk.mp3'),
})
console.log(text)`,
  },
  {
    title: 'Tencent Cloud, Node',
    text: origin => `const { asr } = require('tencentcloud-sdk-nodejs-asr')

const client = new asr.v20190614.Client({
  credential: { secretId: process.env.SECRET_ID, secretKey: process.env.SECRET_KEY },
  region: '',
  profile: { httpProfile: { protocol: '${scheme(origin)}//', endpoint: '${host(origin)}' } },
})`,
  },
  {
    title: 'Tencent Cloud, realtime',
    text: (origin, appId) => `${scheme(origin).replace('http', 'ws')}//${host(origin)}/asr/v2/${appId}?engine_model_type=16k_en&...`,
  },
]
