// The official SDK of the cloud's API 3.0 (npm: tencentcloud-sdk-nodejs-asr), unmodified, against a
// service of ours. One JSON object on standard output: what each call answered.
//
//   LETHE_ADDRESS=127.0.0.1:8089 LETHE_SECRET_ID=... LETHE_SECRET_KEY=... \
//     node tencent_client.mjs SENTENCE.wav MISHEARD.wav HOT_WORD CALLBACK_URL AUDIO_URL

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { asr } = createRequire(import.meta.url)('tencentcloud-sdk-nodejs-asr');

const [file, misheardFile, hotWord, callbackUrl, audioUrl] = process.argv.slice(2);
const data = readFileSync(file);
const Data = data.toString('base64');

function client(secretKey, profile = {}) {
  return new asr.v20190614.Client({
    credential: { secretId: process.env.LETHE_SECRET_ID, secretKey },
    region: 'ap-guangzhou',
    profile: {
      ...profile,
      httpProfile: { protocol: 'http://', endpoint: process.env.LETHE_ADDRESS, ...profile.httpProfile },
    },
  });
}

const results = {};
const good = client(process.env.LETHE_SECRET_KEY);

async function call(name, make) {
  try {
    results[name] = await make();
  } catch (error) {
    results[name] = { error: error.code, message: error.message };
  }
  return results[name];
}

async function finished(name, taskId) {
  for (;;) {
    const state = await call(name, () => good.DescribeTaskStatus({ TaskId: taskId }));
    if (state.error || state.Data.Status >= 2) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const sentence = { EngSerViceType: '16k_en', SourceType: 1, VoiceFormat: 'wav', Data, DataLen: data.length };
const misheard = { ...sentence, Data: readFileSync(misheardFile).toString('base64'), DataLen: undefined };
const task = { EngineModelType: '16k_en', ChannelNum: 1, ResTextFormat: 0, SourceType: 1, Data };

await call('sentence', () => good.SentenceRecognition(sentence));
await call('words', () => good.SentenceRecognition({ ...sentence, WordInfo: 2 }));
await call('bareWords', () => good.SentenceRecognition({ ...sentence, WordInfo: 1, FilterPunc: 2 }));
await call('fetched', () =>
  good.SentenceRecognition({ EngSerViceType: '16k_en', SourceType: 0, VoiceFormat: 'wav', Url: audioUrl }));
for (const [name, profile] of [
  ['get', { httpProfile: { reqMethod: 'GET' } }],
  ['v1', { signMethod: 'HmacSHA256' }],
  ['v1sha1', { signMethod: 'HmacSHA1' }],
]) {
  await call(name, () => client(process.env.LETHE_SECRET_KEY, profile).GetAsrVocabList({ Limit: 1, Offset: 0 }));
}

const made = await call('createVocab', () =>
  good.CreateAsrVocab({ Name: 'names', Description: 'of people', WordWeights: [{ Word: hotWord, Weight: 11 }] }));
await call('getVocab', () => good.GetAsrVocab({ VocabId: made.VocabId }));
await call('misheard', () => good.SentenceRecognition(misheard));
await call('withVocab', () => good.SentenceRecognition({ ...misheard, HotwordId: made.VocabId }));
await call('inlineList', () => good.SentenceRecognition({ ...misheard, HotwordList: `${hotWord}|11` }));
await call('setDefault', () => good.SetVocabState({ VocabId: made.VocabId, State: 1 }));
await call('withDefault', () => good.SentenceRecognition(misheard));
await call('updateVocab', () =>
  good.UpdateAsrVocab({
    VocabId: made.VocabId,
    Name: 'fewer',
    WordWeightStr: Buffer.from('Lethe|5\nStyx|100\n').toString('base64'),
  }));
await call('downloadVocab', () => good.DownloadAsrVocab({ VocabId: made.VocabId }));
await call('listVocabs', () => good.GetAsrVocabList({ Limit: 10, Offset: 0 }));
await call('deleteVocab', () => good.DeleteAsrVocab({ VocabId: made.VocabId }));
await call('goneVocab', () => good.GetAsrVocab({ VocabId: made.VocabId }));

const KeyWordFile = Buffer.from('prudently\nnobody').toString('base64');
const library = await call('createLibrary', () => good.CreateAsrKeyWordLib({ Name: 'lib_1', KeyWordFile }));
await call('sameLibrary', () => good.CreateAsrKeyWordLib({ Name: 'lib_1', KeyWordFile }));
await call('listLibraries', () => good.GetAsrKeyWordLibList({ Limit: 10, Offset: 0 }));

const plain = await call('task', () => good.CreateRecTask({ ...task, CallbackUrl: callbackUrl }));
await finished('taskDone', plain.Data.TaskId);
const detailed = await call('taskWithDetail', () =>
  good.CreateRecTask({
    EngineModelType: '16k_en',
    ChannelNum: 1,
    ResTextFormat: 2,
    SourceType: 0,
    Url: audioUrl,
    KeyWordLibIdList: [library.Data.KeyWordLibId],
    CallbackUrl: callbackUrl,
  }));
await finished('detailDone', detailed.Data.TaskId);
const missing = await call('taskOfNothing', () =>
  good.CreateRecTask({ ...task, SourceType: 0, Data: undefined, Url: `${audioUrl}.none` }));
await finished('nothingDone', missing.Data.TaskId);
await call('deleteLibrary', () => good.DeleteAsrKeyWordLib({ KeyWordLibId: library.Data.KeyWordLibId }));

const days = { StartDate: '2026-01-01', EndDate: '2026-01-01' };
const now = new Date(Date.now() + 8 * 3600e3);
const day = (date) => date.toISOString().slice(0, 10);
await call('usage', () =>
  good.GetUsageByDate({ BizNameList: ['asr_rt', 'asr_rec'], StartDate: day(new Date(now - 864e5)), EndDate: day(now) }));

await call('wrongKey', () => client('somebody-elses-key').GetAsrVocabList({ Limit: 1 }));
await call('noModel', () => good.SentenceRecognition({ ...sentence, EngSerViceType: '16k_zh' }));
await call('noEngine', () => good.SentenceRecognition({ ...sentence, EngSerViceType: '16k_klingon' }));
await call('noBase64', () => good.SentenceRecognition({ ...sentence, Data: '!!!' }));
await call('noSound', () => good.SentenceRecognition({ ...sentence, Data: Buffer.from('hello').toString('base64') }));
await call('tooLarge', () => good.SentenceRecognition({ ...sentence, Data: 'A'.repeat(3 * 2 ** 20 + 4) }));
await call('badFilter', () => good.SentenceRecognition({ ...sentence, FilterDirty: 3 }));
await call('noTask', () => good.DescribeTaskStatus({ TaskId: 1 }));
await call('voicePrint', () => good.VoicePrintCount({}));
await call('customization', () => good.GetCustomizationList({}));
await call('privateUrl', () =>
  good.SentenceRecognition({ EngSerViceType: '16k_en', SourceType: 0, VoiceFormat: 'wav', Url: 'http://10.0.0.1/a.wav' }));
await call('badDays', () => good.GetUsageByDate({ BizNameList: ['asr_rt'], ...days, EndDate: '2025-12-31' }));

process.stdout.write(`${JSON.stringify(results)}\n`);
