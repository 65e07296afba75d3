// Speaks to the service through OpenAI's official client, as a user of theirs would, and prints what
// came of it: one JSON object, {"<case>": {...}}.
//
// usage: LETHE_URL=http://127.0.0.1:8080 LETHE_KEY=lethe-sk-... node openai_client.mjs RECORDING
//
// LETHE_CASES=json,stream runs only those. A case that fails has {"failed": "<why>"}, and the exit
// status is 1; errors that the service answers are results like others: {"status", "code", "type",
// "param", "name"}.

// Debian's Node.js has no File among its globals, and the client takes this one.
import {File} from 'node:buffer';
import fs from 'node:fs';
import process from 'node:process';

import OpenAI from 'openai';

const recording = process.argv[2];
const baseURL = `${process.env.LETHE_URL}/v1`;
const client = new OpenAI({baseURL, apiKey: process.env.LETHE_KEY, maxRetries: 0});

const file = () => fs.createReadStream(recording);
const transcribe = (more = {}) =>
  client.audio.transcriptions.create({file: file(), model: 'whisper-1', ...more});

// What the service refuses, in the words of the client's error.
async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    const {status, code, type, param} = error;
    return {status, code, type, param, name: error.constructor.name};
  }
  throw new Error('was not refused');
}

const cases = {
  json: () => transcribe(),
  text: async () => ({text: await transcribe({response_format: 'text'})}),
  srt: async () => ({text: await transcribe({response_format: 'srt'})}),
  vtt: async () => ({text: await transcribe({response_format: 'vtt'})}),
  verbose: () => transcribe({response_format: 'verbose_json'}),
  words: () =>
    transcribe({response_format: 'verbose_json', timestamp_granularities: ['word', 'segment']}),
  options: () =>
    transcribe({
      model: 'gpt-4o-mini-transcribe',
      language: 'en',
      temperature: 0,
      prompt: 'Lethe, Styx',
      include: ['logprobs'],
      chunking_strategy: 'auto',
    }),
  // An extra field goes the way the client documents: it is passed on as it is.
  keywords: () => transcribe({keywords: process.env.LETHE_KEYWORDS ?? 'Lethe|10'}),
  engine: () => transcribe({model: '16k_en'}),
  stream: async () => {
    const deltas = [];
    let done = null;
    for await (const event of await transcribe({model: 'gpt-4o-transcribe', stream: true})) {
      if (event.type === 'transcript.text.delta') deltas.push(event.delta);
      if (event.type === 'transcript.text.done') done = event;
    }
    return {deltas, done};
  },
  stream_abandoned: async () => {
    let events = 0;
    for await (const _ of await transcribe({model: 'gpt-4o-transcribe', stream: true})) {
      ++events;
      break;
    }
    return {events};
  },
  models: async () => {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    return {ids};
  },
  model: () => client.models.retrieve('whisper-1'),
  wrong_key: () =>
    refusal(
      new OpenAI({baseURL, apiKey: 'lethe-sk-none', maxRetries: 0}).audio.transcriptions.create({
        file: file(),
        model: 'whisper-1',
      })),
  wrong_model: () => refusal(transcribe({model: 'gpt-5'})),
  wrong_model_retrieved: () => refusal(client.models.retrieve('gpt-5')),
  wrong_format: () => refusal(transcribe({response_format: 'diarized_json'})),
  wrong_language: () => refusal(transcribe({language: 'xx'})),
  wrong_file: () =>
    refusal(transcribe({file: new File(['this is no recording'], 'text.wav')})),
  wrong_file_streamed: () =>
    refusal(transcribe({file: new File(['this is no recording'], 'text.wav'), stream: true})),
  empty_file: () => refusal(transcribe({file: new File([], 'empty.wav')})),
  large_file: () =>
    refusal(transcribe({file: new File([new Uint8Array(25 * 1024 * 1024 + 1)], 'large.wav')})),
  larger_file: () =>
    refusal(transcribe({file: new File([new Uint8Array(30 * 1024 * 1024)], 'larger.wav')})),
  translation: () =>
    refusal(client.audio.translations.create({file: file(), model: 'whisper-1'})),
};

const wanted = process.env.LETHE_CASES?.split(',') ?? Object.keys(cases);
const results = {};
for (const name of wanted) {
  try {
    results[name] = await cases[name]();
  } catch (error) {
    results[name] = {failed: String(error)};
    process.exitCode = 1;
  }
}
console.log(JSON.stringify(results, null, 2));
