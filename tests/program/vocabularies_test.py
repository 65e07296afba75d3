#!/usr/bin/env python3
"""Vocabularies through Lethe's own interface: what the contract's actions see is what is made here, an
application reaches its own only, and what is wrong is refused without being said.

Method: a real service with two applications; calls of both interfaces beside each other.
"""

import re

from api3 import Api3
from own_api import call_own
from service import Service
from support import ProgramTest, main, run

WORDS = [{'word': 'Dashwood', 'weight': 8}, {'word': 'Norland Park', 'weight': 100}]


class VocabulariesTest(ProgramTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)
        made = run('apps', 'create', 'other', '--data', cls.service.data).stdout
        cls.other_app = int(re.search(r'AppId +(\d+)', made)[1])
        told = run('keys', 'create', '--app', 'other', '--bearer', '--data', cls.service.data).stdout.split()
        cls.other_key = told[told.index('Bearer') + 1]

    def call(self, body=None, query='', **who):
        return call_own(self.service, 'vocabularies' + query, body, **who)

    def make(self, name='Names', **fields):
        status, answer = self.call({'name': name, 'words': WORDS, **fields})
        self.assertEqual(status, 200, answer)
        return answer['vocabulary']

    def test_both_interfaces_see_the_same(self):
        keys = self.service.keys
        api = Api3(self.service.address, keys['SecretId'], keys['SecretKey'])
        made = self.make(description='Of a novel')
        self.assertEqual((made['words'], made['size'], made['default']), (WORDS, 2, False))
        there = api.call('GetAsrVocab', {'VocabId': made['vocab_id']})
        self.assertEqual([(each['Word'], each['Weight']) for each in there['WordWeights']],
                         [('Dashwood', 8), ('Norland Park', 100)])
        self.assertEqual((there['Name'], there['Description'], there['State']), ('Names', 'Of a novel', 0))
        self.assertEqual(self.call({'vocab_id': made['vocab_id'], 'default': True})[0], 200)
        self.assertEqual(api.call('GetAsrVocab', {'VocabId': made['vocab_id']})['State'], 1)
        # What is not said stays.
        changed = self.call({'vocab_id': made['vocab_id'], 'description': ''})[1]['vocabulary']
        self.assertEqual((changed['name'], changed['description'], changed['words']), ('Names', '', WORDS))
        api.call('UpdateAsrVocab', {'VocabId': made['vocab_id'], 'WordWeights': [{'Word': 'Elinor', 'Weight': 1}]})
        shown = self.call(query='?vocab_id=' + made['vocab_id'])[1]['vocabularies']
        self.assertEqual(shown[0]['words'], [{'word': 'Elinor', 'weight': 1}])
        # A list of all has no words in it.
        self.assertEqual({'words' in each for each in self.call()[1]['vocabularies']}, {False})
        self.assertEqual(self.call({'vocab_id': made['vocab_id'], 'remove': True}), (200, {'vocabulary': None}))
        self.assertIn('Error', api.call('GetAsrVocab', {'VocabId': made['vocab_id']}))
        self.assertEqual(self.call({'vocab_id': made['vocab_id'], 'remove': True})[0], 404)

    def test_an_application_reaches_its_own_only(self):
        vocab_id = self.make()['vocab_id']
        for body in ({'vocab_id': vocab_id, 'remove': True}, {'vocab_id': vocab_id, 'name': 'x'},
                     {'vocab_id': vocab_id, 'default': True},
                     {'app_id': int(self.service.keys['AppId']), 'name': 'x', 'words': WORDS}):
            self.assertEqual(self.call(body, key=self.other_key)[0], 404, body)
        self.assertEqual(self.call(query='?vocab_id=' + vocab_id, key=self.other_key)[0], 404)
        self.assertEqual(self.call(key=self.other_key), (200, {'vocabularies': []}))
        # The operator says whose.
        password = self.service.keys['Console password']
        self.assertEqual(self.call(password=password)[0], 400)
        listed = self.call(query=f'?app_id={self.other_app}', password=password)
        self.assertEqual(listed, (200, {'vocabularies': []}))
        self.assertEqual(self.call(query='?vocab_id=' + vocab_id)[1]['vocabularies'][0]['name'], 'Names')

    def test_what_is_wrong_is_refused_and_not_said(self):
        vocab_id = self.make()['vocab_id']
        secret = 'Hargreaves'
        for words in ([{'word': secret, 'weight': 12}], [{'word': secret + '|', 'weight': 5}],
                      [{'word': secret * 4, 'weight': 5}], [{'word': secret}], [{'word': secret, 'weight': '5'}],
                      [{'word': secret, 'weight': 5, 'x': 1}], [secret], [], secret,
                      [{'word': f'{secret} {i}', 'weight': 5} for i in range(1001)]):
            status, answer = self.call({'vocab_id': vocab_id, 'words': words})
            self.assertEqual(status, 400, answer)
            self.assertNotIn(secret, answer['error']['message'])
        for body in ({}, {'name': 'x'}, {'words': WORDS}, {'name': 'x' * 256, 'words': WORDS}, {'vocab_id': vocab_id},
                     {'vocab_id': vocab_id, 'remove': False}, {'vocab_id': vocab_id, 'remove': True, 'name': 'x'},
                     {'vocab_id': vocab_id, 'default': True, 'words': WORDS},
                     {'vocab_id': vocab_id, 'description': 'x' * 1001},
                     {'name': 'x', 'words': WORDS, 'default': True}):
            self.assertEqual(self.call(body)[0], 400, body)
        self.assertEqual(self.call(query='?vocab_id=' + vocab_id)[1]['vocabularies'][0]['words'], WORDS)
        # As many as the contract lets an application have, of a thousand words each.
        longest = [{'word': f'{i:030}', 'weight': 11} for i in range(1000)]
        for _ in range(40):
            status, answer = self.call({'name': 'Many', 'words': longest})
            if status != 200:
                break
        self.assertEqual((status, answer['error']['code']), (429, 'resource_exhausted'))
        for each in self.call()[1]['vocabularies']:
            self.assertEqual(self.call({'vocab_id': each['vocab_id'], 'remove': True})[0], 200)


if __name__ == '__main__':
    main()
