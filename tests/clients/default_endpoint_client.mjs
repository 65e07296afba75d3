// The official SDK of the cloud's API 3.0, with nothing said about where the service is: it speaks
// TLS to asr.tencentcloudapi.com. One JSON object on standard output: what it was answered.
//
//   LETHE_RESOLVE_TO=127.0.0.77 NODE_EXTRA_CA_CERTS=ca.pem LETHE_SECRET_ID=... \
//     LETHE_SECRET_KEY=... node --require ./resolve_hook.cjs default_endpoint_client.mjs SENTENCE.wav

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { asr } = createRequire(import.meta.url)('tencentcloud-sdk-nodejs-asr');

const client = new asr.v20190614.Client({
  credential: { secretId: process.env.LETHE_SECRET_ID, secretKey: process.env.LETHE_SECRET_KEY },
  region: 'ap-guangzhou',
});
let result;
try {
  result = await client.SentenceRecognition({
    EngSerViceType: '16k_en',
    SourceType: 1,
    VoiceFormat: 'wav',
    Data: readFileSync(process.argv[2]).toString('base64'),
  });
} catch (error) {
  result = { error: error.code, message: error.message };
}
process.stdout.write(`${JSON.stringify(result)}\n`);
