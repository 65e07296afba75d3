#!/usr/bin/env python3
"""The document that describes Lethe's own interface is true: it describes every route and no other, its
examples work, and whatever is sent, the answer is one that it describes.

Method: the document as a running service serves it; every example sent; then hundreds of requests
made from its schemas, right and wrong ones, by a generator of our own with a fixed seed. Answers are
validated by Debian's python3-jsonschema.
"""

import base64
import copy
import http.client
import json
import os
import random
import re
import sys
import urllib.parse

from every_interface import openai
from own_api import call_own
from service import Service
from support import PATIENCE, ProgramTest, main

try:
    import jsonschema
except ImportError:
    sys.path.append('/usr/lib/python3/dist-packages')
    import jsonschema

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'src')
ROUNDS = int(os.environ.get('LETHE_TEST_OPENAPI_ROUNDS', '600'))
STRANGE = [None, True, False, 0, -1, '50', 1 << 63, 1 << 70, 1.5, '', 'x', ' ', '\u0000', '\u2028', 'ä' * 300,
           [], {}, [[]], {'x': {}}, '-1', '1e9', '<b>', "'; DROP TABLE tasks; --"]


class OpenApi:
    """The document, and what is said about a request or an answer by it."""

    def __init__(self, document):
        self.document = document

    def operations(self):
        for path, item in self.document['paths'].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def look(self, value):
        while '$ref' in value:
            at = self.document
            for name in value['$ref'].removeprefix('#/').split('/'):
                at = at[name]
            value = at
        return value

    def fits(self, schema, value):
        schema = dict(schema, components=self.document['components'])
        return not list(jsonschema.Draft202012Validator(schema).iter_errors(value))

    def answer_schema(self, operation, status):
        """None: it is not described; '' is no JSON."""
        answer = operation['responses'].get(str(status))
        if answer is None:
            return None
        return self.look(answer)['content'].get('application/json', {}).get('schema', '')

    def example(self, schema, rng, depth=0):
        """A value that fits a schema, more or less."""
        schema = self.look(schema)
        if 'const' in schema:
            return schema['const']
        if 'enum' in schema:
            return rng.choice(schema['enum'])
        if 'anyOf' in schema:
            return self.example(rng.choice(schema['anyOf']), rng, depth + 1)
        kind = schema.get('type', 'null')
        if kind == 'object':
            names = set(schema.get('required', []))
            names.update(name for name in schema.get('properties', {}) if rng.random() < 0.3)
            return {name: self.example(schema['properties'][name], rng, depth + 1)
                    for name in sorted(names)}
        if kind == 'array':
            return [self.example(schema['items'], rng, depth + 1) for _ in range(rng.randrange(3))]
        if kind == 'integer':
            least, most = schema.get('minimum', 0), schema.get('maximum', 1 << 40)
            return rng.choice([least, most, rng.randrange(least, most + 1)])
        if kind == 'string':
            if schema.get('format') == 'date':
                return f'2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}'
            pattern = schema.get('pattern', '')
            if pattern.startswith('^[A-Z]{2}'):
                return rng.choice(['DE', 'US', 'FR', 'ZZ'])
            if pattern.startswith('^[0-9]{4}-'):
                return f'20{rng.randrange(20, 27)}-{rng.randrange(1, 13):02}'
            if pattern:
                return str(rng.randrange(1, 1 << 30))
            return ''.join(rng.choices('abcdefgäß-17 ', k=rng.choice([1, 5, 60])))
        return {'boolean': rng.random() < 0.5, 'null': None}[kind]

    def spoil(self, value, rng):
        """The value with something else in one place of it."""
        value = copy.deepcopy(value)
        if isinstance(value, dict) and value and rng.random() < 0.8:
            name = rng.choice(sorted(value))
            what = rng.randrange(4)
            if what == 0:
                del value[name]
            elif what == 1:
                value[rng.choice(['x', 'app_id ', name.upper(), ''])] = rng.choice(STRANGE)
            else:
                value[name] = self.spoil(value[name], rng)
            return value
        return rng.choice(STRANGE)


class OpenApiTest(ProgramTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)
        status, text = cls.service.get('/lethe/v1/openapi.json')
        assert status == 200
        cls.api = OpenApi(json.loads(text))
        cls.basic = 'Basic ' + base64.b64encode(
            f'console:{cls.service.keys["Console password"]}'.encode()).decode()
        cls.bearer = 'Bearer ' + cls.service.keys['API key']
        cls._begin_the_ledger()

    @classmethod
    def _begin_the_ledger(cls):
        """Something has to be held and erased before a head is signed."""
        openai(cls.service, __file__)  # which is no recording
        call_own(cls.service, 'erase', {'app_id': int(cls.service.keys['AppId'])})

    def call(self, method, path, body=None, authorization=None):
        """The status, the headers and the text of an answer."""
        connection = http.client.HTTPConnection(self.service.address, timeout=PATIENCE)
        try:
            connection.request(method, path, body,
                               {'Authorization': authorization} if authorization else {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def assert_described(self, method, path, operation, answer, about):
        status, headers, text = answer
        schema = self.api.answer_schema(operation, status)
        self.assertIsNotNone(schema, (method, path, about, status, text))
        if schema == '':
            return None
        self.assertTrue(headers['Content-Type'].startswith('application/json'), about)
        value = json.loads(text)
        self.assertTrue(self.api.fits(schema, value), (method, path, about, status, text))
        return value

    def test_it_is_what_the_source_has_and_nothing_points_nowhere(self):
        with open(os.path.join(SOURCE, 'server', 'openapi.json'), encoding='utf-8') as file:
            self.assertEqual(json.load(file), self.api.document)
        self.assertRegex(self.api.document['openapi'], r'^3\.1\.')
        for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(self.api.document)):
            self.api.look({'$ref': reference})
        names = [operation['operationId'] for _, _, operation in self.api.operations()]
        self.assertEqual(len(names), len(set(names)))
        for name, schema in self.api.document['components']['schemas'].items():
            jsonschema.Draft202012Validator.check_schema(schema)
            self.assertIn(f'"#/components/schemas/{name}"', json.dumps(self.api.document))

    def test_every_route_is_described_and_no_other(self):
        routes = set()
        for parent, _, files in os.walk(os.path.join(SOURCE, 'server')):
            for name in files:
                if not name.endswith('.cc') or name.endswith('_test.cc'):
                    continue
                with open(os.path.join(parent, name), encoding='utf-8') as file:
                    routes.update(re.findall(r'"(/lethe/v1/[a-z_.]+)"', file.read()))
        described = {path for _, path, _ in self.api.operations() if path.startswith('/lethe/')}
        self.assertEqual(routes, described)
        for path, item in self.api.document['paths'].items():
            for method in ('get', 'post', 'put', 'delete', 'patch'):
                status = self.call(method.upper(), path, '{}')[0]
                self.assertEqual(status == 405, method not in item, (method, path, status))

    def test_every_example_works_as_it_is_described(self):
        made = {}
        for authorization in (self.bearer, self.basic):
            for method, path, operation in self.api.operations():
                query = {parameter['name']: parameter['example']
                         for parameter in map(self.api.look, operation.get('parameters', []))
                         if 'example' in parameter}
                content = operation.get('requestBody', {}).get('content', {})
                examples = content.get('application/json', {}).get('examples', {'': {'value': None}})
                for name, example in examples.items():
                    value = example['value']
                    if value is not None:
                        self.assertTrue(self.api.fits(content['application/json']['schema'], value),
                                        (path, name))
                        # Those that are about a key or vocabulary are about one that there is.
                        for which in ('key_id', 'vocab_id'):
                            if which in value:
                                value = dict(value, **{which: made.get(which, value[which])})
                        if authorization == self.basic and path in (
                                '/lethe/v1/retention', '/lethe/v1/consent',
                                '/lethe/v1/vocabularies') or 'subject' in value:
                            value = dict(value, app_id=int(self.service.keys['AppId']))
                    if authorization == self.basic and method == 'GET':
                        query['app_id'] = self.service.keys['AppId']
                    target = path + ('?' + urllib.parse.urlencode(query) if query else '')
                    answer = self.call(method, target, None if value is None else json.dumps(value),
                                       authorization)
                    shown = self.assert_described(method, path, operation, answer, (name, value))
                    if name == 'made' and answer[0] == 200:
                        made = shown.get('key') or shown.get('vocabulary') or {}
                    if operation.get('security') != [] and answer[0] == 200:
                        self.assertEqual(answer[1]['Cache-Control'], 'no-store', path)
                    operators = path == '/lethe/v1/watch' or method == 'POST' and path in (
                        '/lethe/v1/applications', '/lethe/v1/keys')
                    if authorization == self.bearer and operators:
                        self.assertEqual(answer[0], 403, (path, name))
                    elif (method, path) == ('POST', '/lethe/v1/tasks'):
                        self.assertEqual(answer[0], 404, name)  # of a task that is not there
                    elif path != '/lethe/v1/receipts':  # the same
                        self.assertEqual(answer[0], 200, (path, name, answer))

    def test_whatever_is_sent_the_answer_is_described(self):
        rng = random.Random(6)
        operations = [entry for entry in self.api.operations() if entry[2].get('security') != []]
        statuses = {}
        for _ in range(ROUNDS):
            method, path, operation = rng.choice(operations)
            query = {}
            for parameter in map(self.api.look, operation.get('parameters', [])):
                if rng.random() < 0.6:
                    value = self.api.example(parameter['schema'], rng)
                    query[parameter['name']] = value if rng.random() < 0.7 else rng.choice(STRANGE)
            schema = operation.get('requestBody', {}).get('content', {}).get(
                'application/json', {}).get('schema')
            value = None
            if schema is not None:
                value = self.api.example(schema, rng)
                if isinstance(value, dict) and 'app_id' in value and rng.random() < 0.8:
                    value['app_id'] = int(self.service.keys['AppId'])
                if rng.random() < 0.5:
                    value = self.api.spoil(value, rng)
                # The application has to live on.
                if isinstance(value, dict) and value.get('enabled') is False:
                    continue
            authorization = rng.choice([self.bearer, self.basic, self.bearer, None, 'Bearer x'])
            if path == '/lethe/v1/erase' and isinstance(value, dict) and rng.random() < 0.9:
                value.pop('app_id', None)
            text = None if value is None else json.dumps(value, ensure_ascii=rng.random() < 0.5)
            if text and rng.random() < 0.05:
                text = text[:rng.randrange(len(text))]
            target = path + ('?' + urllib.parse.urlencode(query) if query else '')
            # Wrong passwords are counted, so they are not tried here.
            answer = self.call(method, target, text if text is None else text.encode(),
                               authorization)
            about = (value, query, authorization and authorization[:6])
            self.assert_described(method, path, operation, answer, about)
            self.assertNotEqual(answer[0], 500, about)
            if answer[0] == 200 and value is not None:
                self.assertTrue(self.api.fits(schema, value), (path, value, answer))
            # What fits is understood, but for what a schema cannot say.
            if (answer[0] == 400 and path in ('/lethe/v1/erase', '/lethe/v1/keys')
                    and isinstance(value, dict) and 'subject' not in value
                    and text in (json.dumps(value), json.dumps(value, ensure_ascii=False))):
                self.assertFalse(self.api.fits(schema, value), (path, value, answer))
            statuses[answer[0]] = statuses.get(answer[0], 0) + 1
        # It reached what it was to reach.
        for status in (200, 400, 401, 403, 404):
            self.assertGreater(statuses.get(status, 0), ROUNDS // 100, statuses)
        self.assertEqual(self.service.get('/healthz')[0], 200)


if __name__ == '__main__':
    main()
