"""Debian's Prometheus for tests: our alert rules in it, made impatient, and services as its targets."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

from support import PATIENCE, ReservedPort, command_path

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'operations', 'prometheus')
RULES = os.path.join(FOLDER, 'alerts.yml')


def read_rules():
    """The alerts, in order: their names and expressions."""
    with open(RULES, encoding='utf-8') as file:
        text = file.read()
    rules = {}
    for name, expression in re.findall(r'- alert: (\w+)\n +expr: (>-\n(?: {10}.*\n)+|.*\n)', text):
        rules[name] = ' '.join(expression.removeprefix('>-').split())
    return text, rules


def impatient(text):
    """The rules for a test: what they wait for becomes seconds. Nothing else of them changes."""
    text = re.sub(r'(?m)^( +for:) .*$', r'\1 1s', text)
    text = re.sub(r'\[\d+m\]', '[20s]', text)
    # Five seconds is the sweeper's interval.
    text = re.sub(r'((?:lateness|log_held)_seconds\S*\)? >) \d+', r'\1 8', text)
    return re.sub(r'(\[20s\]\)\)\) >) 10\b', r'\1 5', text)


class Prometheus:
    """Runs until stop(). Targets are (instance, address); the list may be changed while it runs."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='lethe_prometheus_')
        with open(self.path('alerts.yml'), 'w', encoding='utf-8') as file:
            file.write(impatient(read_rules()[0]))
        self.set_targets([])
        with open(self.path('prometheus.yml'), 'w', encoding='utf-8') as file:
            file.write(json.dumps({  # which is YAML
                'global': {'scrape_interval': '500ms', 'scrape_timeout': '500ms',
                           'evaluation_interval': '500ms'},
                'rule_files': ['alerts.yml'],
                'scrape_configs': [{'job_name': 'lethe', 'file_sd_configs': [
                    {'files': ['targets.json'], 'refresh_interval': '500ms'}]}]}))
        self.reserved = ReservedPort()
        self.address = f'127.0.0.1:{self.reserved.number}'
        # pylint: disable=consider-using-with
        self.log = open(self.path('log'), 'w', encoding='utf-8')
        self.process = subprocess.Popen(
            [command_path('prometheus'), '--config.file', self.path('prometheus.yml'), '--storage.tsdb.path',
             self.path('data'), '--web.listen-address', self.address], stdout=self.log, stderr=self.log)

    def path(self, name):
        return os.path.join(self.folder, name)

    def set_targets(self, targets):
        content = [{'targets': [address], 'labels': {'instance': instance}}
                   for instance, address in targets]
        with open(self.path('targets.json.new'), 'w', encoding='utf-8') as file:
            json.dump(content, file)
        os.rename(self.path('targets.json.new'), self.path('targets.json'))

    def ask(self, path, **parameters):
        url = f'http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}'
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)['data']

    def wait_until_ready(self):
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f'http://{self.address}/-/ready', timeout=PATIENCE):
                    return
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    with open(self.path('log'), encoding='utf-8') as file:
                        raise AssertionError('Prometheus did not start: ' + file.read()) from None
                time.sleep(0.05)

    def query(self, expression):
        """Values by instance."""
        return {each['metric'].get('instance'): float(each['value'][1])
                for each in self.ask('query', query=expression)['result']}

    def firing(self):
        """The alerts that fire, as (alert, instance)."""
        return {(alert['labels']['alertname'], alert['labels'].get('instance', ''))
                for alert in self.ask('alerts')['alerts'] if alert['state'] == 'firing'}

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)
        self.reserved.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
