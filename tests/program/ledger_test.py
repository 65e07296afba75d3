#!/usr/bin/env python3
"""The ledger by command: shown, exported and verified, and every tampering is told.

An implementation of the tree of RFC 9162 of its own, straight from the definitions, judges what the
program exports and proves: roots, receipts, the account. Ledgers are written by
tests/support/make_ledger.cc.
"""

import base64
import datetime
import hashlib
import json
import os
import struct
import subprocess

from support import PATIENCE, ProgramTest, main, program_path, run

LEAF = 96
MAKE_LEDGER = 'tests/make_ledger'


def leaf_hash(leaf):
    return hashlib.sha256(b'\0' + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b'\1' + left + right).digest()


def split_point(n):
    """The largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def tree_root(hashes):
    """MTH of RFC 9162, section 2.1.1."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split_point(len(hashes))
    return node_hash(tree_root(hashes[:k]), tree_root(hashes[k:]))


def inclusion_path(m, hashes):
    """PATH of RFC 9162, section 2.1.3.1."""
    if len(hashes) == 1:
        return []
    k = split_point(len(hashes))
    if m < k:
        return inclusion_path(m, hashes[:k]) + [tree_root(hashes[k:])]
    return inclusion_path(m - k, hashes[k:]) + [tree_root(hashes[:k])]


class Export:
    """An export taken apart, as docs/ledger.md describes it; file() puts it together again."""

    def __init__(self, data):
        magic, version, key_size, leaves, heads = struct.unpack_from('>8sIIQQ', data)
        assert (magic, version) == (b'LETHE-LG', 1)
        at = 32 + key_size
        self.key = data[32:at]
        self.leaves = [data[at + i * LEAF:at + (i + 1) * LEAF] for i in range(leaves)]
        at += leaves * LEAF
        self.heads = []
        for _ in range(heads):
            size, = struct.unpack_from('>I', data, at)
            self.heads.append(data[at + 4:at + 4 + size])
            at += 4 + size
        assert data[at:] == hashlib.sha256(data[:at]).digest()

    def file(self):
        data = struct.pack('>8sIIQQ', b'LETHE-LG', 1, len(self.key), len(self.leaves),
                           len(self.heads)) + self.key + b''.join(self.leaves)
        for head in self.heads:
            data += struct.pack('>I', len(head)) + head
        return data + hashlib.sha256(data).digest()


class LedgerTest(ProgramTest):

    def make(self, leaves):
        """A data folder with a ledger of so many leaves."""
        data = os.path.join(self.folder, f'data{leaves}')
        maker = os.path.join(os.path.dirname(program_path()), MAKE_LEDGER)
        subprocess.run([maker, data, str(leaves)], check=True, timeout=PATIENCE)
        return data

    def good(self, *arguments):
        return self.assert_good(run('ledger', *arguments))

    def export(self, data, name='ledger.bin'):
        path = self.path(name)
        self.assertEqual(self.good('export', '--data', data, '--out', path), '')
        return path

    def written(self, export, name='forged.bin'):
        path = self.path(name)
        with open(path, 'wb') as file:
            file.write(export.file())
        return path

    def read(self, path):
        with open(path, 'rb') as file:
            return Export(file.read())

    def keys(self, data):
        return self.good('keys', '--data', data).split('\n')[:-1]

    def assert_found(self, kind, *arguments):
        result = run('ledger', 'verify', '--json', *arguments)
        self.assertEqual((result.returncode, result.stderr), (1, ''))
        report = json.loads(result.stdout)
        self.assertIn(kind, [finding['kind'] for finding in report['findings']])
        return report

    def test_a_hundred_thousand_leaves_are_verified_and_tampering_is_found(self):
        data = self.make(100_000)
        path = self.export(data)
        key, = self.keys(data)
        report = json.loads(self.good('verify', path, '--public-key', key, '--json'))
        self.assertEqual((report['leaves'], report['num_findings']), (100_000, 0))
        self.assertTrue(report['key_is_trusted'])
        for account in report['classes'].values():
            self.assertEqual((account['created'], account['erased'], account['live'],
                              account['complete']), (12_500, 12_500, 0, True))
        # The tree, by hashlib and the definition.
        export = self.read(path)
        root = tree_root([leaf_hash(leaf) for leaf in export.leaves])
        self.assertEqual(base64.b64decode(report['last_head']['root']), root)
        self.assertEqual(export.heads[-1].split(b'\n')[1:3], [b'100000', base64.b64encode(root)])

        leaf = export.leaves[54_321]
        export.leaves[54_321] = leaf[:40] + bytes([leaf[40] ^ 1]) + leaf[41:]
        report = self.assert_found('history', self.written(export), '--public-key', key)
        self.assertIn('the first 50000 are as signed', report['findings'][0]['what'])
        del export.leaves[54_321]
        self.assert_found('history', self.written(export), '--public-key', key)
        # A history rewritten by somebody with a key of their own.
        other = self.export(self.make(2000), 'other.bin')
        self.assert_found('signature', other, '--public-key', key)

    def test_heads_that_were_kept_tell_an_older_state(self):
        data = self.make(300)
        old = self.export(data, 'old.bin')
        before = self.path('before.txt')
        with open(before, 'w', encoding='utf-8') as file:
            file.write(self.good('head', '--data', data))
        later = self.good('rotate-key', '--data', data)
        self.assertEqual(later.count('\u2014 test.example/ledger '), 2)
        self.assertEqual(self.good('head', '--data', data), later)
        self.assertNotEqual(self.good('head', '--data', data, '--sign'), later)
        after = self.path('after.txt')
        with open(after, 'w', encoding='utf-8') as file:
            file.write(self.good('head', '--data', data))
        new = self.export(data, 'new.bin')
        keys = self.keys(data)
        self.assertEqual(len(keys), 2)
        for key in keys:
            self.good('verify', new, '--head', before, '--public-key', key)
        self.good('verify', old, '--head', before)
        self.assert_found('signature', old, '--head', after)
        self.assert_found('signature', old, '--public-key', keys[1])

    def test_ledger_and_keys_may_lie_elsewhere(self):
        data = self.make(10)
        ledger, keys = self.path('ledger'), self.path('keys')
        os.rename(os.path.join(data, 'ledger'), ledger)
        os.rename(os.path.join(data, 'keys'), keys)
        there = ('--data', data, '--store.ledger', ledger)
        for command in (['head'], ['keys'], ['receipt', '3'], ['export', '--out', self.path('e.bin')]):
            self.good(*command, *there)
        self.good('verify', self.path('e.bin'))
        self.good('head', '--sign', *there, '--store.keys', keys)
        self.good('rotate-key', *there, '--store.keys', keys)
        self.assert_one_line(run('ledger', 'head', '--data', data), 'there is no ledger')
        self.assert_good(run('ledger', 'head', '--data', data, env={'LETHE_STORE_LEDGER': ledger}))

    def test_receipts_prove_their_leaf_by_themselves_and_in_an_export(self):
        data = self.make(300)
        path = self.export(data)
        key, = self.keys(data)
        receipt = self.path('receipt.json')
        text = self.good('receipt', '250', '--data', data)
        with open(receipt, 'w', encoding='utf-8') as file:
            file.write(text)
        parsed, export = json.loads(text), self.read(path)
        self.assertEqual(base64.b64decode(parsed['leaf']), export.leaves[250])
        self.assertEqual(parsed['says']['kind'], 'erased')
        size = int(parsed['head'].split('\n')[1])
        path_hashes = inclusion_path(250, [leaf_hash(leaf) for leaf in export.leaves[:size]])
        self.assertEqual([base64.b64decode(hash) for hash in parsed['proof']], path_hashes)
        self.assertIn('leaf 250, erased',
                      self.good('verify', '--receipt', receipt, '--public-key', key))
        self.good('verify', path, '--receipt', receipt, '--public-key', key)
        # Of another ledger.
        other = self.make(301)
        self.assert_found('receipt', self.export(other, 'other.bin'), '--receipt', receipt)
        other_key, = self.keys(other)
        result = run('ledger', 'verify', '--receipt', receipt, '--public-key', other_key)
        self.assert_one_line(result, 'not signed by the key that is trusted')
        self.assert_one_line(run('ledger', 'verify', '--receipt', receipt, '--public-key', key,
                                 '--id', '17'), 'not about that id')
        # Several, as commands and the interface write them; each has to be right.
        more = self.good('receipt', '251', '--data', data)
        alone = ('verify', '--receipt', receipt, '--public-key', key)
        for several in (text + more, f'[{text}, {more}]\n'):
            with open(receipt, 'w', encoding='utf-8') as file:
                file.write(several)
            self.assertEqual(self.good(*alone).count('The receipt is good: leaf 25'), 2)
            self.good('verify', path, '--receipt', receipt, '--public-key', key)
            self.assert_one_line(run('ledger', *alone, '--id', '17'), 'none of these receipts')
        bad = json.dumps({**json.loads(more), 'number': 252})
        for wrong in (text + bad, bad + text):
            with open(receipt, 'w', encoding='utf-8') as file:
                file.write(wrong)
            self.assert_one_line(run('ledger', *alone), 'does not prove its leaf')
        for wrong in (text + 'x', text + '{', text + '}', '', '[]', text[:-3], text + '"', '\\{' + text):
            with open(receipt, 'w', encoding='utf-8') as file:
                file.write(wrong)
            self.assert_one_line(run('ledger', *alone), 'no receipt of a ledger')

    def test_an_export_that_ends_days_ago_is_found_unless_that_is_when_it_was_made(self):
        path = self.export(self.make(20))
        now = datetime.datetime.now(datetime.timezone.utc)
        month_later = (now + datetime.timedelta(days=30)).strftime('%Y-%m-%dT%H:%M')
        report = self.assert_found('stale', path, '--at', month_later)
        self.assertEqual(report['num_findings'], 1, report['findings'])
        self.good('verify', path, '--at', now.strftime('%Y-%m-%dT%H:%M'))
        self.good('verify', path)
        self.assert_one_line(run('ledger', 'verify', path, '--at', 'yesterday'), '--at', 'UTC')

    def test_the_report_is_for_people_too(self):
        data = self.make(21)
        text = self.good('verify', self.export(data))
        self.assertRegex(text, r'(?m)^keys of hours +- +0 +- +0 +- +- +-$')
        self.assertIn('No findings.', text)
        self.assertIn('Not compared: with --public-key', text)
        self.assertIn('This cannot show:', text)
        self.assertIn('that no copy was made outside the service', text)
        self.assertRegex(text, r'(?m)^audio +\d+ +\d+ +\d+ +0 +0 +none +yes$')

    def test_what_is_missing_or_no_ledger_is_told_in_one_line(self):
        nowhere = os.path.join(self.folder, 'nowhere')
        for command in ('head', 'keys', 'export', 'rotate-key'):
            self.assert_one_line(run('ledger', command, '--data', nowhere), 'there is no ledger',
                                 nowhere)
        self.assertFalse(os.path.exists(nowhere))
        empty = self.path('empty.bin')
        with open(empty, 'wb'):
            pass
        self.assert_one_line(run('ledger', 'verify', empty))
        self.assert_one_line(run('ledger', 'verify', __file__), 'no export of a ledger')
        self.assert_one_line(run('ledger', 'verify'), 'give an export')
        data = self.make(10)
        path = self.export(data)
        self.assert_one_line(run('ledger', 'verify', path, '--public-key', 'abc'),
                             'no public key of a ledger')
        self.assert_one_line(run('ledger', 'verify', path, '--head', __file__))
        self.assert_one_line(run('ledger', 'verify', path, '--receipt', __file__))
        self.assert_one_line(run('ledger', 'verify', path, '--id', 'x'), '--receipt')
        self.assert_one_line(run('ledger', 'receipt', '11', '--data', data), 'no leaves')


if __name__ == '__main__':
    main()
