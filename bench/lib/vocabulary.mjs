// Llama's vocabulary as Moonshine uses it: 32,000 pieces, then control tokens that are not printed.

import {readFileSync} from 'node:fs';

export const kVocabularySize = 32768;
export const kBeginToken = 1;
export const kEndToken = 2;

/// The pieces in llama-tokenizer.js, in sentencepiece form.
export function ReadPieces(file) {
  const found = readFileSync(file, 'utf8').match(/llama_vocab_base64\s*=\s*"([^"]+)"/);
  if (!found) throw new Error(`no vocabulary in ${file}`);
  return Buffer.from(found[1], 'base64').toString('utf8').split('\n');
}

/// Joins the pieces of `tokens` to text: U+2581 is a space, <0xNN> a byte, ids 0..2 and those past
/// the pieces print nothing.
export function Detokenize(pieces, tokens) {
  const bytes = [];
  for (const token of tokens) {
    if (token < 3 || token >= pieces.length) continue;
    const byte = pieces[token].match(/^<0x([0-9A-F]{2})>$/);
    if (byte) bytes.push(parseInt(byte[1], 16));
    else bytes.push(...Buffer.from(pieces[token].replaceAll('\u2581', ' '), 'utf8'));
  }
  return Buffer.from(bytes).toString('utf8').trim();
}
