#!/usr/bin/env python3
"""What docs/metrics.md says is what /metrics has.

Method: a running service that was called, against the table of the document.
"""

import json
import os
import re
import subprocess
import time

from service import Service
from support import PATIENCE, ProgramTest, SpeechTest, command_path, main, run
import every_interface

HERE = os.path.dirname(os.path.abspath(__file__))
OPERATIONS = os.path.join(HERE, '..', '..', 'operations')


def documented():
    """The document, and name: (type, labels) of its table."""
    with open(os.path.join(HERE, '..', '..', 'docs', 'metrics.md'), encoding='utf-8') as file:
        text = file.read()
    rows = re.findall(r'(?m)^\| `(\w+)` \| (\w+) \| (.*?) \|', text)
    return text, {name: (kind, set(re.findall(r'`(\w+)`', labels))) for name, kind, labels in rows}


class MetricsTest(SpeechTest):

    def test_the_document_and_the_service_have_the_same_metrics(self):
        service = Service(tls=True)
        self.addCleanup(service.stop)
        every_interface.openai(service, self.short)
        # A call is counted when its answer is on its way.
        until = time.monotonic() + PATIENCE
        while 'lethe_calls_total{interface="openai"' not in (text := service.get('/metrics')[1]):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        kinds = dict(re.findall(r'(?m)^# TYPE (\S+) (\S+)$', text))
        helped = set(re.findall(r'(?m)^# HELP (\S+) \S', text))
        labels = {name: set() for name in kinds}
        values = {}
        for name, inside, value in re.findall(r'(?m)^([a-z_]+)(?:\{(.*)\})? (\S+)$', text):
            family = name if name in kinds else re.sub('_(bucket|sum|count)$', '', name)
            self.assertIn(family, kinds)
            labels[family] |= set(re.findall(r'(\w+)="', inside))
            values[name, inside] = float(value)
        document, table = documented()
        self.assertEqual({name: (kinds[name], labels[name]) for name in kinds}, table)
        self.assertEqual(helped, set(kinds))
        bounds = re.findall(r'lethe_call_duration_seconds_bucket\{interface="flash",le="(.*?)"\}', text)
        self.assertIn(f'are {", ".join(bounds[:-2])} and {bounds[-2]}', ' '.join(document.split()))
        self.assertEqual(bounds[-1], '+Inf')
        for label in ('interface', 'pool', 'of'):
            for word in set(re.findall(rf'[{{,]{label}="(\w+)"', text)):
                self.assertIn(f'`{word}`', document)

        # What was called is counted, and what was not is there.
        self.assertEqual(values['lethe_call_duration_seconds_count', 'interface="openai"'], 1)
        self.assertEqual(values['lethe_call_duration_seconds_count', 'interface="flash"'], 0)
        self.assertGreater(values['lethe_audio_seconds_total', 'interface="openai"'], 1)
        self.assertEqual(values['lethe_call_faults_total', 'interface="openai"'], 0)
        self.assertGreater(values['process_resident_memory_bytes', ''], 1 << 20)
        self.assertGreater(values['lethe_memory_limit_bytes', ''],
                           values['process_resident_memory_bytes', ''])
        self.assertGreater(values['lethe_data_size_bytes', ''], values['lethe_data_free_bytes', ''])


class OperationsFilesTest(ProgramTest):
    """The files that operators copy."""

    def test_the_dashboard_asks_for_metrics_that_there_are(self):
        with open(os.path.join(OPERATIONS, 'grafana', 'lethe.json'), encoding='utf-8') as file:
            dashboard = json.load(file)
        panels = [panel for panel in dashboard['panels'] if panel['type'] != 'row']
        queries = [target['expr'] for panel in panels for target in panel['targets']]
        self.assertGreater(len(queries), 15)
        asked = {re.sub('_(bucket|sum|count)$', '', name)
                 for name in re.findall(r'\b((?:lethe|process)_\w+)', ' '.join(queries))}
        self.assertLessEqual(asked, set(documented()[1]))
        # What PromQL makes of the queries; a wrong one is named.
        rules = self.path('rules.yml')
        with open(rules, 'w', encoding='utf-8') as file:
            json.dump({'groups': [{'name': 'dashboard', 'rules': [
                {'record': f'panel:query:{number}', 'expr': query.replace('$instance', '.*')}
                for number, query in enumerate(queries)]}]}, file)
        self.check('promtool', 'check', 'rules', rules)
        # No panel lies on another.
        taken = set()
        for panel in dashboard['panels']:
            at = panel['gridPos']
            self.assertLessEqual(at['x'] + at['w'], 24)
            cells = {(x, y) for x in range(at['x'], at['x'] + at['w']) for y in range(at['y'], at['y'] + at['h'])}
            self.assertFalse(cells & taken, panel['title'])
            taken |= cells

    def test_yaml_is_in_order(self):
        self.check('yamllint', '--strict', '--config-file', os.path.join(HERE, '..', '..', '.yamllint'), OPERATIONS)

    def test_the_environment_of_containers_is_made_of_options(self):
        with open(os.path.join(OPERATIONS, 'docker', 'Dockerfile'), encoding='utf-8') as file:
            environment = dict(re.findall(r'(LETHE_\w+)=(\S+)', file.read()))
        # The package's, which is not here.
        self.assertEqual(environment.pop('LETHE_CONFIG'), '/etc/lethe/lethe.toml')
        shown = self.assert_good(run('serve', '--show-config', env=environment))
        for line in ('listen = ["0.0.0.0:8089"]', 'first_keys = false', 'log.format = "json"'):
            self.assertIn(line + '\n', shown)

    def check(self, command, *arguments):
        result = subprocess.run([command_path(command), *arguments], capture_output=True, text=True,
                                timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == '__main__':
    main()
