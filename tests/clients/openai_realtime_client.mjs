// Speaks to the service through OpenAI's official realtime clients, as a user of theirs would, and
// prints what came of it: one JSON object, {"<case>": {...}}.
//
// usage: LETHE_TLS_URL=https://127.0.0.1:8443 LETHE_KEY=lethe-sk-... NODE_EXTRA_CA_CERTS=cert.pem \
//          node openai_realtime_client.mjs FIRST SECOND TELEPHONE
//
// FIRST and SECOND are PCM (16 bit, 24 kHz, mono, no header), TELEPHONE the first in mu-law at 8 kHz.
// The clients know no other address than a TLS one. LETHE_CASES=turns,manual runs only those. A case
// that fails has {"failed": "<why>"}, and the exit status is 1.

import fs from 'node:fs';
import process from 'node:process';

import OpenAI from 'openai';
import {OpenAIRealtimeWS as BetaRealtimeWS} from 'openai/beta/realtime/ws';
import {OpenAIRealtimeWebSocket} from 'openai/realtime/websocket';
import {OpenAIRealtimeWS} from 'openai/realtime/ws';
import {WebSocket} from 'ws';

// What browsers have; Node.js only later than Debian's.
globalThis.WebSocket = WebSocket;

const [first, second, telephone] = process.argv.slice(2, 5).map((file) => fs.readFileSync(file));
const baseURL = `${process.env.LETHE_TLS_URL}/v1`;
const client = new OpenAI({baseURL, apiKey: process.env.LETHE_KEY});
const patience = 120_000;
const silence = Buffer.alloc(2 * 2 * 24_000);
const completed = 'conversation.item.input_audio_transcription.completed';
const delta = 'conversation.item.input_audio_transcription.delta';

// A session: what came so far, and waiting for what is to come.
class Session {
  constructor(realtime) {
    this.realtime = realtime;
    this.events = [];
    this.failure = null;
    this.changed = () => {};
    realtime.on('event', (event) => {
      this.events.push(event);
      this.changed();
    });
    realtime.on('error', (error) => {
      if (!error.error) this.failure = error;
      this.changed();
    });
  }

  of(type) {
    return this.events.filter((event) => event.type === type);
  }

  async wait(type, count = 1) {
    const late = Date.now() + patience;
    while (this.of(type).length < count) {
      if (this.failure) throw this.failure;
      if (Date.now() > late) {
        throw new Error(`no ${type} but ${this.events.map((event) => event.type)}`);
      }
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, 1_000);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.of(type);
  }

  send(event) {
    this.realtime.send(event);
  }

  append(audio, piece = 9_600) {
    for (let at = 0; at < audio.length; at += piece) {
      this.send({
        type: 'input_audio_buffer.append',
        audio: audio.subarray(at, at + piece).toString('base64'),
      });
    }
  }

  // The items that were completed, each with the deltas it had.
  items() {
    return this.of(completed).map(({item_id, transcript, usage, logprobs}) => ({
      item_id,
      transcript,
      usage,
      logprobs,
      deltas: this.of(delta).filter((event) => event.item_id === item_id).map(({delta}) => delta),
    }));
  }

  report(more = {}) {
    this.realtime.close();
    return {types: this.events.map((event) => event.type), items: this.items(), ...more};
  }
}

async function open(realtime) {
  const session = new Session(realtime);
  await session.wait(realtime instanceof BetaRealtimeWS ? 'transcription_session.created'
                                                        : 'session.created');
  return session;
}

async function configure(session, input, more = {}) {
  session.send({
    type: 'session.update',
    session: {
      type: 'transcription',
      audio: {
        input: {
          format: {type: 'audio/pcm', rate: 24_000},
          transcription: {model: 'gpt-4o-transcribe', language: 'en'},
          ...input,
        },
      },
      ...more,
    },
  });
  return (await session.wait('session.updated')).at(-1).session;
}

const detect = {type: 'server_vad', threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 1_500};

async function turns(realtime) {
  const session = await open(realtime);
  const told = await configure(session, {turn_detection: detect});
  session.append(Buffer.concat([first, silence, second, silence]));
  await session.wait(completed, 2);
  const started = session.of('input_audio_buffer.speech_started');
  const stopped = session.of('input_audio_buffer.speech_stopped');
  return session.report({session: told, started, stopped});
}

const cases = {
  turns: () => turns(new OpenAIRealtimeWS({model: 'gpt-4o-transcribe'}, client)),
  browser: () => turns(new OpenAIRealtimeWebSocket({model: 'gpt-realtime'}, client)),
  manual: async () => {
    const session = await open(new OpenAIRealtimeWS({model: 'whisper-1'}, client));
    await configure(session, {turn_detection: null},
                    {include: ['item.input_audio_transcription.logprobs']});
    for (const audio of [first, second]) {
      // One of them in one event.
      session.append(audio, audio === second ? audio.length : undefined);
      session.send({type: 'input_audio_buffer.commit'});
    }
    await session.wait(completed, 2);
    return session.report({committed: session.of('input_audio_buffer.committed')});
  },
  beta: async () => {
    const session = await open(new BetaRealtimeWS({model: 'gpt-4o-mini-transcribe'}, client));
    session.send({
      type: 'transcription_session.update',
      session: {
        input_audio_format: 'g711_ulaw',
        input_audio_transcription: {model: 'gpt-4o-mini-transcribe', prompt: ''},
        turn_detection: {type: 'semantic_vad', eagerness: 'low'},
      },
    });
    const [{session: told}] = await session.wait('transcription_session.updated');
    session.append(Buffer.concat([telephone, Buffer.alloc(4 * 8_000, 0xff)]), 1_600);
    await session.wait(completed);
    return session.report({session: told});
  },
  prompt: async () => {
    const session = await open(new OpenAIRealtimeWS({model: 'whisper-1'}, client));
    await configure(session, {
      turn_detection: null,
      transcription: {model: 'whisper-1', prompt: process.env.LETHE_PROMPT ?? ''},
    });
    session.append(second);
    session.send({type: 'input_audio_buffer.commit'});
    await session.wait(completed);
    return session.report();
  },
  clear: async () => {
    const session = await open(new OpenAIRealtimeWS({model: 'whisper-1'}, client));
    await configure(session, {turn_detection: null});
    session.append(first);
    session.send({type: 'input_audio_buffer.clear'});
    await session.wait('input_audio_buffer.cleared');
    session.append(second);
    session.send({type: 'input_audio_buffer.commit'});
    await session.wait(completed);
    return session.report();
  },
  refused: async () => {
    const session = await open(new OpenAIRealtimeWS({model: 'whisper-1'}, client));
    session.send({type: 'response.create', event_id: 'e-1'});
    session.send({type: 'input_audio_buffer.commit', event_id: 'e-2'});
    session.send({type: 'session.update', event_id: 'e-3', session: {type: 'realtime'}});
    await session.wait('error', 3);
    return session.report({errors: session.of('error').map(({error}) => error)});
  },
  wrong_key: async () => {
    const other = new OpenAI({baseURL, apiKey: 'lethe-sk-none'});
    try {
      await open(new OpenAIRealtimeWS({model: 'whisper-1'}, other));
    } catch (error) {
      return {message: error.message};
    }
    throw new Error('was let in');
  },
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
// Sessions that failed keep their sockets.
process.exit();
