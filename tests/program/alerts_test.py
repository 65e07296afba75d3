#!/usr/bin/env python3
"""Every alert rule fires when its fault is made, and none fires at a service that is well under load.

Method: Debian's promtool for rules by themselves; then Debian's Prometheus, which scrapes services of
ours, each with a fault of its own: records that somebody locks, a key that cannot be destroyed, a
full disk, a reader who holds what was erased, a database that dies, a clock that leaps, queues that are full, callbacks nobody takes, a
certificate that ends, a file that is moved away, a process that dies. The
rules are those of operations/prometheus, but for the time that they wait (prometheus.py).
"""

import contextlib
import glob
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import unittest

import every_interface
from api3 import Api3
from database_test import SlowWeb
from forgetting_test import library
from mariadb import MariaDb
from own_api import call_own
from prometheus import FOLDER, Prometheus, read_rules
from service import Service
from support import PATIENCE, ProgramTest, SpeechTest, command_path, main, program_path

HERE = os.path.dirname(os.path.abspath(__file__))


def free_low_port():
    """A port below those that the kernel gives to outgoing connections."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(('127.0.0.1', port))
            return port
    raise AssertionError('no port is free')


class AlertRulesTest(ProgramTest):
    """The rules by themselves."""

    @classmethod
    def setUpClass(cls):
        cls.program = command_path('promtool')

    def promtool(self, *arguments):
        result = subprocess.run([self.program, *arguments], cwd=FOLDER, capture_output=True, text=True,
                                timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_promtool_finds_nothing_wrong(self):
        self.assertIn(f'{len(read_rules()[1])} rules found', self.promtool('check', 'rules', 'alerts.yml'))
        self.promtool('check', 'config', 'prometheus.yml')

    def test_made_up_series_fire_when_they_should_and_not_before(self):
        self.promtool('test', 'rules', 'alerts_test.yml')
        with open(os.path.join(FOLDER, 'alerts_test.yml'), encoding='utf-8') as file:
            tested = set(re.findall(r'alertname: (\w+)', file.read()))
        self.assertEqual(tested, set(read_rules()[1]))

    def test_every_alert_has_its_section_in_the_runbook(self):
        text, rules = read_rules()
        with open(os.path.join(HERE, '..', '..', 'docs', 'operations.md'), encoding='utf-8') as file:
            headings = {heading.lower() for heading in re.findall(r'(?m)^#+ (\w+)$', file.read())}
        links = re.findall(r"runbook: 'docs/operations.md#(\w+)'", text)
        self.assertEqual(links, [name.lower() for name in rules])
        self.assertLessEqual(set(links), headings)
        named = set(re.findall(r'\b((?:lethe|process)_\w+)\{', ' '.join(rules.values())))
        with open(os.path.join(HERE, '..', '..', 'docs', 'metrics.md'), encoding='utf-8') as file:
            document = file.read()
        for metric in named:
            self.assertIn('`' + re.sub('_bucket$', '', metric) + '`', document)


class AlertsTest(SpeechTest):
    """The rules in Prometheus, on services that have their faults."""

    @classmethod
    def setUpClass(cls):
        if not os.environ.get('LETHE_TEST_ALERTS'):
            raise unittest.SkipTest('wants the machine for itself: make alerts')
        command_path('prometheus')
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.services = {}
        self.expected, self.disks = {}, 0
        self.prometheus = Prometheus()
        self.addCleanup(self.prometheus.stop)

    def serve(self, name, *arguments, expect, **options):
        """A service, and the alerts that are to fire for it."""
        self.services[name] = Service(*arguments, **options)
        self.addCleanup(self.services[name].stop)
        self.expected[name] = set(expect)
        return self.services[name]

    def scrape(self):
        self.prometheus.set_targets([(name, service.address) for name, service in self.services.items()])

    def wait_for_alerts(self, wanted):
        until, missing = time.monotonic() + PATIENCE, wanted
        while missing := missing - self.prometheus.firing():
            self.assertLess(time.monotonic(), until, f'not firing: {sorted(missing)}')
            time.sleep(0.2)

    def in_background(self, work):
        """Again and again until the test is over."""
        over = threading.Event()

        def run():
            while not over.is_set():
                with contextlib.suppress(OSError, AssertionError, ValueError, KeyError):
                    work()
                over.wait(0.1)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(over.set)

    def lock_the_records(self, service):
        records = sqlite3.connect(os.path.join(service.data, 'records.db'), isolation_level=None,
                                  timeout=PATIENCE)
        self.addCleanup(records.close)
        past = int(time.time() * 1000) - 86_400_000
        for _ in range(10):
            # Something that is over, for the sweeper to stumble at.
            records.execute(
                'INSERT INTO finished_calls (app_id, interface, call_id, result_code, succeeded, server_fault, '
                'region, start_ms, end_ms, expires_ms, audio_ms, counted_seconds, bytes, fee) '
                "VALUES (?, 'flash', 'x', '0', 1, 0, 'default', ?, ?, ?, 1, 1, 1, 0)",
                (int(service.keys['AppId']), past, past, past))
            records.execute('BEGIN IMMEDIATE')
            if records.execute('SELECT count(*) FROM finished_calls WHERE expires_ms = ?', (past,)).fetchone()[0]:
                return
            records.execute('COMMIT')  # it was swept already
        self.fail('what is over is swept faster than it is written')

    def read_for_ever(self, service):
        """Somebody reads the records, and does not end, while something is erased."""
        every_interface.openai(service, self.short)
        reader = sqlite3.connect(os.path.join(service.data, 'records.db'), isolation_level=None)
        self.addCleanup(reader.close)
        reader.execute('BEGIN')
        reader.execute('SELECT count(*) FROM tasks').fetchone()
        answer = call_own(service, 'erase', {'app_id': int(service.keys['AppId'])})[1]
        self.assertTrue(answer['in_log'], answer)

    def overload(self, service):
        """More connections than may be open, more calls than may wait."""
        host, port = service.address.split(':')

        def connect():
            with contextlib.ExitStack() as opened:
                for _ in range(20):
                    opened.enter_context(socket.create_connection((host, int(port)), timeout=PATIENCE))
                time.sleep(0.3)
            time.sleep(1)

        self.in_background(connect)
        for _ in range(6):
            self.in_background(lambda: every_interface.openai(service, self.short))

    def slow(self, service, web):
        api = Api3(service.address, service.keys['SecretId'], service.keys['SecretKey'])

        def call():
            web.asked = 0
            web.released.clear()
            timer = threading.Timer(7, web.released.set)
            timer.start()
            every_interface.sentence(api, None, url=web.url)
            timer.join()

        self.in_background(call)

    def callbacks_to_nobody(self, service):
        with socket.socket() as nobody:
            nobody.bind(('127.0.0.1', 0))
            url = f'http://127.0.0.1:{nobody.getsockname()[1]}/'
        api = Api3(service.address, service.keys['SecretId'], service.keys['SecretKey'])
        with open(self.short, 'rb') as file:
            data = every_interface.base64.b64encode(file.read()).decode()

        def call():
            api.call('CreateRecTask', {'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0,
                                       'SourceType': 1, 'Data': data, 'CallbackUrl': url})
            time.sleep(2)

        self.in_background(call)

    def small_disk(self):
        """A disk of its own; none where nobody may mount one."""
        self.disks += 1
        folder = self.path(f'disk{self.disks}')
        os.mkdir(folder)
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            return None
        self.addCleanup(subprocess.run, ['umount', '--lazy', folder], check=False)
        return folder

    def fill(self, disk, but=0):
        with open(os.path.join(disk, 'filler'), 'wb') as file:
            stat = os.statvfs(disk)
            file.write(bytes(stat.f_bavail * stat.f_frsize - but))

    def set_clock(self, clock, ahead):
        with open(clock + '.new', 'w', encoding='utf-8') as file:
            file.write(f'{ahead:+}')
        os.rename(clock + '.new', clock)

    def serve_moved(self, name, faketime, expect):
        """A service to whom another time is told; returns the file that says which."""
        clock = self.path('clock-' + name)
        self.set_clock(clock, 0)
        self.serve(name, expect=(expect,), env={
            'LD_PRELOAD': faketime, 'FAKETIME_TIMESTAMP_FILE': clock, 'FAKETIME_NO_CACHE': '1',
            'DONT_FAKE_MONOTONIC': '1', 'FAKETIME_DONT_FAKE_MONOTONIC': '1'})
        return clock

    def kill_decoders(self, service):
        """What a machine does that has too little memory: calls whose decoder is killed fail."""
        def kill():
            for children in glob.glob(f'/proc/{service.process.pid}/task/*/children'):
                with contextlib.suppress(OSError):
                    with open(children, encoding='ascii') as file:
                        pids = file.read().split()
                    for pid in pids:
                        os.kill(int(pid), signal.SIGKILL)

        compressed = self.path('short.mp3')
        subprocess.run([command_path('ffmpeg'), '-loglevel', 'error', '-i', self.short, compressed], check=True)
        self.in_background(kill)
        for _ in range(2):
            self.in_background(lambda: every_interface.openai(service, compressed))

    def crowded(self):
        """The program in a control group of one megabyte, as far as it can see; none where nobody may
        mount one."""
        script = self.path('crowded.sh')
        with open(script, 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\nexec unshare --mount sh -c \'mount -t tmpfs tmpfs /sys/fs/cgroup && '
                       f'echo 1048576 >/sys/fs/cgroup/memory.max && exec "$0" "$@"\' "{program_path()}" "$@"\n')
        os.chmod(script, 0o700)
        probe = subprocess.run([script, 'version'], capture_output=True, check=False)
        return script if probe.returncode == 0 else None

    def wait_for_another_start(self, name, known):
        """Until Prometheus has scraped a start of it that it did not know: returns that."""
        until = time.monotonic() + PATIENCE
        while True:
            start = self.prometheus.query('process_start_time_seconds').get(name)
            if start not in (None, known):
                return start
            self.assertLess(time.monotonic(), until, f'Prometheus sees no other start of {name} than {known}')
            time.sleep(0.1)

    def restart(self, name):
        """The same service, thrice more, where it was; each start lasts until Prometheus has seen it."""
        seen = self.wait_for_another_start(name, None)
        service = self.services[name]
        for _ in range(3):
            address, data = service.address, service.data
            if service.own_folder:
                self.addCleanup(shutil.rmtree, service.own_folder, ignore_errors=True)
                service.own_folder = None
            service.stop()
            service = Service('--listen', address, data=data)
            service.address = address
            self.addCleanup(service.stop)
            seen = self.wait_for_another_start(name, seen)
        self.services[name] = service

    def test_each_alert_fires_for_its_fault_and_none_for_a_service_that_is_well(self):
        rules = set(read_rules()[1])
        self.prometheus.wait_until_ready()
        good = self.serve('good', expect=())
        for work in (lambda: every_interface.openai(good, self.short),
                     lambda: every_interface.openai(good, self.long)):
            self.in_background(work)

        locked = self.serve('locked', expect=('LetheErasureLate', 'LetheSweeperStuck',
                                              'LetheUsageRowsLost'))
        read = self.serve('read', expect=('LetheRecordsLogHeld',))
        full = self.serve('full', '--limits.calls-at-once', '1', '--limits.calls-waiting', '1',
                          '--limits.connections', '12',
                          expect=('LetheRefusing', 'LetheConnectionsRefused'))
        web = SlowWeb(self.short)
        self.addCleanup(web.stop)
        killed = self.serve('killed', expect=('LetheErrors',))
        database = MariaDb()
        self.addCleanup(database.stop)
        self.serve('silent', *database.options, expect=('LetheRecordsSilent',))
        if crowded := self.crowded():
            self.serve('crowded', program=crowded, expect=('LetheMemoryHigh',))
        late = self.serve('late', expect=('LetheKeyDestructionLate', 'LetheClockNotSaved', 'LetheSlow',
                                          'LetheCallbacksFailing'))
        moved = self.serve('moved', expect=('LetheFilesLost',))
        # Its certificate is made for two days.
        self.serve('expiring', tls=True, expect=('LetheCertificateExpiring', 'LetheCertificateExpiringNow'))
        # A port that nobody's outgoing connection takes while it is down.
        again = f'127.0.0.1:{free_low_port()}'
        self.serve('again', '--listen', again, expect=('LetheRestarting',)).address = again
        if faketime := library():
            leapt = self.serve_moved('leapt', faketime, 'LetheRetentionHeld')
            set_back = self.serve_moved('set-back', faketime, 'LetheClockBehind')
        if disk := self.small_disk():
            self.serve('disk', data=disk + '/data', expect=('LetheDiskFilling',))
            ledger_disk = self.small_disk()
            behind = self.serve('behind', '--store.ledger', ledger_disk + '/ledger',
                                expect=('LetheLedgerBehind',))
        self.scrape()

        database.kill()
        self.lock_the_records(locked)
        self.read_for_ever(read)
        self.in_background(lambda: every_interface.openai(locked, self.short))
        self.overload(full)
        self.kill_decoders(killed)
        self.slow(late, web)
        self.callbacks_to_nobody(late)
        os.rename(os.path.join(moved.data, 'ledger', 'heads'), self.path('heads'))
        os.mkdir(os.path.join(late.data, 'keys', 'epochs', 'audio.default.400000.key'))
        # What a file cannot take the place of.
        os.remove(os.path.join(late.data, 'clock'))
        os.mkdir(os.path.join(late.data, 'clock'))
        if faketime:
            self.set_clock(leapt, 7_200)
            self.set_clock(set_back, -7_200)
        if disk:
            self.fill(disk, but=1 << 20)
            self.fill(ledger_disk)
            self.in_background(lambda: every_interface.openai(behind, self.short))
        self.restart('again')
        self.wait_for_alerts({(alert, name) for name, alerts in self.expected.items() for alert in alerts})
        firing = self.prometheus.firing()
        # How full this machine's own disk is, is not ours.
        self.assertEqual({alert for alert, name in firing if name == 'good'} - {'LetheDiskFilling'}, set())
        calls = self.prometheus.query('sum by (instance) (lethe_calls_total{interface="openai"})')
        self.assertGreater(calls['good'], 10)

        self.services['again'].process.kill()
        self.wait_for_alerts({('LetheDown', 'again')})
        self.prometheus.set_targets([])
        self.wait_for_alerts({('LetheNotScraped', '')})
        # Before the services, which would wait for its connections to end.
        self.prometheus.stop()
        fired = set().union(*self.expected.values()) | {'LetheDown', 'LetheNotScraped'}
        skipped = set() if disk else {'LetheDiskFilling', 'LetheLedgerBehind'}
        skipped |= set() if crowded else {'LetheMemoryHigh'}
        self.assertEqual(fired, rules - skipped - (set() if faketime else {'LetheRetentionHeld', 'LetheClockBehind'}))


if __name__ == '__main__':
    main()
