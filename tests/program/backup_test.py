#!/usr/bin/env python3
"""A backup of the records that is put back undoes nothing that was decided since, and the start says
what it did.

Method: records.db is copied while the service is stopped, as docs/operations.md says; then everything
is decided that makes the service stricter, by its interface and by commands; then the copy is put back,
with keys and ledger left as they are.
"""

import os
import re
import shutil
import sqlite3
import time
import unittest

import mariadb
from callers import Callers
from own_api import call_own
from service import Service
from support import PATIENCE, SpeechTest, main, run

ANN, BOB = 'ann.of-the-backup@example.org', 'bob.of-the-backup@example.org'
REFUSED = 'AuthFailure.UnauthorizedOperation'


class BackupTest(SpeechTest):

    def setUp(self):
        super().setUp()
        self.data = self.path('data')
        self.options = self.servers()
        self.service = Service(*self.options, data=self.data)
        self.addCleanup(lambda: self.service.stop())  # whichever is running then
        self.keys = self.service.keys
        self.callers = Callers(self.service, self.short)

    def servers(self):
        """Starts what the records are kept in; returns what has to be told of it. Here: nothing but
        the folder."""
        return []

    def start(self):
        self.service = Service(*self.options, data=self.data)
        self.service.keys = self.keys
        self.callers.service = self.service

    def stop(self):
        """What it said."""
        code, errors = self.service.stop()
        self.assertEqual(code, 0, errors)
        self.service.keys = {}  # it may say afterwards what it could not know
        return errors

    def back_up(self):
        self.stop()
        self.copy_records()

    def copy_records(self):
        shutil.copy(os.path.join(self.data, 'records.db'), self.path('backup.db'))

    def put_back(self):
        for name in ('records.db', 'records.db-wal', 'records.db-shm'):
            if os.path.exists(os.path.join(self.data, name)):
                os.remove(os.path.join(self.data, name))
        shutil.copy(self.path('backup.db'), os.path.join(self.data, 'records.db'))

    def command(self, *arguments):
        return self.assert_good(run(*arguments, '--data', self.data, *self.options))

    def own(self, path, body=None, **who):
        status, answer = call_own(self.service, path, body, **who)
        self.assertEqual(status, 200, answer)
        return answer

    def new_key(self, app):
        """A bearer key: its name and itself."""
        told = self.command('keys', 'create', '--app', app, '--bearer')
        return [re.search(what + r' +(\S+)\n', told)[1] for what in ('Key', 'Bearer')]

    def lets_in(self, key):
        return call_own(self.service, 'tasks', key=key)[0] == 200

    def lets_console_in(self, password):
        return call_own(self.service, 'tasks', password=password)[0] == 200

    def consent(self, subject, **more):
        self.own('consent', {'subject': subject, 'basis': 'person', 'age': 30, 'jurisdiction': 'DE',
                             **more})

    def file(self):
        return os.path.join(self.data, 'ledger', 'decisions')

    def assert_put_back(self, errors, **counts):
        """In one line; of what is not named, none."""
        lines = [line for line in errors.splitlines() if 'the records did not have what' in line]
        self.assertEqual(len(lines), 1 if counts else 0, errors)
        for name in ('periods', 'consent_required', 'withdrawals', 'consents', 'keys',
                     'applications', 'passwords'):
            for line in lines:
                self.assertRegex(line, rf'\b{name} {counts.get(name, 0)}\b')

    def test_older_records_are_told_what_was_decided_since(self):
        leaked, other = self.new_key('default'), self.new_key('default')
        self.command('apps', 'create', 'gone')
        of_gone = self.new_key('gone')
        for subject in (ANN, BOB):
            self.consent(subject)
        self.assertTrue(all(self.lets_in(key[1]) for key in (leaked, other, of_gone)))
        self.back_up()

        self.start()
        self.own('retention', {'class': 'result', 'seconds': 3600})
        self.own('retention', {'class': 'audio', 'seconds': 0})
        self.own('consent', {'require': True})
        self.command('keys', 'remove', leaked[0])
        self.command('apps', 'remove', 'gone', '--yes')
        password = re.search(r'Console password +(\S+)\n', self.command('keys', 'password'))[1]
        for subject in (ANN, BOB):
            self.own('consent', {'subject': subject, 'withdraw': True})
        self.consent(BOB)
        self.stop()

        self.put_back()
        self.start()
        periods = self.own('retention')['periods']
        self.assertEqual([periods[name]['seconds'] for name in ('result', 'audio')], [3600, 0])
        self.assertTrue(self.own('consent')['required'])
        self.assertEqual([self.lets_in(key[1]) for key in (leaked, other, of_gone)],
                         [False, True, False])
        self.assertNotIn('gone', self.command('apps', 'list'))
        self.assertTrue(self.lets_console_in(password))
        self.assertFalse(self.lets_console_in(self.keys['Console password']))
        self.assertEqual([self.callers.sentence(who) for who in (None, ANN, BOB)],
                         [REFUSED, REFUSED, ''])
        # Of Bob the last word alone is there, which the backup had nearly the same.
        errors = self.stop()
        self.assert_put_back(errors, periods=2, consent_required=1, withdrawals=1, consents=1,
                             keys=1, applications=1, passwords=1)
        # The changed periods are in the ledger, though nothing was erased and nothing is missing.
        self.assertRegex(errors, r'older than the ledger.*erased_again 0, missing \d+, leaves \d+')
        with open(self.file(), 'rb') as file:
            held = file.read()
        for secret in (ANN.encode(), leaked[0].encode(), leaked[1].encode(), b'argon2'):
            self.assertNotIn(secret, held)

        self.start()
        errors = self.stop()
        self.assert_put_back(errors)
        self.assertNotIn('older than the ledger', errors)

    def test_what_only_the_decisions_know_comes_back(self):
        """The ledger has no leaf since the backup, and no service ran when it was decided."""
        leaked = self.new_key('default')
        self.back_up()
        self.command('keys', 'remove', leaked[0])
        self.put_back()
        self.start()
        self.assertFalse(self.lets_in(leaked[1]))
        errors = self.stop()
        self.assert_put_back(errors, keys=1)
        self.assertNotIn('older than the ledger', errors)

    def test_a_command_that_comes_first_says_it(self):
        leaked = self.new_key('default')
        self.back_up()
        self.command('keys', 'remove', leaked[0])
        self.put_back()
        told = run('keys', 'password', '--data', self.data, *self.options)
        self.assertIn('as when they are older: 1 decisions hold again\n', told.stderr)
        self.start()
        self.assertFalse(self.lets_in(leaked[1]))
        self.assert_put_back(self.stop())

    def test_what_is_decided_after_the_backup_was_put_back_is_newer(self):
        self.consent(ANN)
        self.command('consent', 'require', 'default', 'on')
        self.back_up()
        self.command('consent', 'require', 'default', 'off')
        self.command('consent', 'withdraw', 'default', '--subject', ANN)
        self.put_back()
        with open(self.file(), 'rb') as file:
            away = file.read()
        # By hand, before anybody has looked at the file.
        os.rename(os.path.join(self.data, 'ledger'), self.path('ledger'))
        self.command('consent', 'require', 'default', 'on')
        self.command('consent', 'give', 'default', '--subject', ANN, '--age', '30',
                     '--jurisdiction', 'DE')
        os.rename(self.path('ledger'), os.path.join(self.data, 'ledger'))
        for _ in range(2):
            self.start()
            self.assertTrue(self.own('consent')['required'])
            self.assertEqual(self.callers.sentence(ANN), '')
            self.assert_put_back(self.stop())
        with open(self.file(), 'rb') as file:
            self.assertNotEqual(file.read(), away)
        # Which the file knows by now.
        self.put_back()
        self.start()
        self.assertTrue(self.own('consent')['required'])
        self.assertEqual(self.callers.sentence(ANN), '')

    def test_a_torn_or_damaged_file_costs_no_more_than_what_is_damaged(self):
        self.own('retention', {'class': 'result', 'seconds': 3600})
        self.back_up()
        for required in ('on', 'off', 'on'):
            self.command('consent', 'require', 'default', required)
        self.command('keys', 'password')
        with open(self.file(), 'rb') as file:
            whole = file.read()

        def start_with(held):
            with open(self.file(), 'wb') as file:
                file.write(held)
            self.start()
            self.assertTrue(self.own('consent')['required'])
            self.assertEqual(self.own('retention')['periods']['result']['seconds'], 3600)
            return self.stop()

        # Nobody was told that what is torn is written.
        self.assertNotIn('file of decisions', start_with(whole + whole[:100]))
        self.put_back()
        damaged = bytearray(whole)
        damaged[320 + 100] ^= 1
        self.assertRegex(start_with(damaged), 'file of decisions.*unreadable 1, gone_or_shorter no')
        # It is whole again.
        with open(self.file(), 'rb') as file:
            self.assertNotIn('file of decisions', start_with(file.read()))
        os.remove(self.file())
        self.start()
        self.assertRegex(self.stop(), 'file of decisions.*unreadable 0, gone_or_shorter yes')
        self.put_back()
        self.start()
        self.assertTrue(self.own('consent')['required'])

    def test_records_of_an_older_version_begin_a_file(self):
        """As they are without: what they say then outlives a backup from before, too."""
        self.back_up()
        self.start()
        self.own('retention', {'class': 'result', 'seconds': 3600})
        self.stop()
        os.remove(self.file())
        for records in (os.path.join(self.data, 'records.db'), self.path('backup.db')):
            self.undo_decisions(records)
        self.start()
        self.assertNotIn('file of decisions', self.stop())
        self.put_back()
        self.start()
        self.assertEqual(self.own('retention')['periods']['result']['seconds'], 3600)
        self.assert_put_back(self.stop(), periods=1)

    @staticmethod
    def undo_decisions(records):
        connection = sqlite3.connect(records)
        with connection:
            for statement in ('DROP TABLE decisions',
                              "DELETE FROM counters WHERE name IN ('decisions_settled', 'decisions_file')",
                              'DELETE FROM schema_version WHERE version = 9'):
                connection.execute(statement)
        connection.close()


class BackupOfAServerTest(BackupTest):
    """The same of a database server, whose records may be put back under a service, too."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists(mariadb.PROGRAM):
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('mariadbd is missing; see scripts/packages-test.txt')
            raise unittest.SkipTest('mariadbd is missing; see scripts/packages-test.txt')

    def servers(self):
        self.database = mariadb.MariaDb()
        self.addCleanup(self.database.stop)
        return self.database.options

    def copy_records(self):
        self.replace(self.path('backup'), self.database.path('data'))

    def put_back(self):
        self.replace(self.database.path('data'), self.path('backup'))

    def replace(self, there, by):
        self.database.kill()
        shutil.rmtree(there, ignore_errors=True)
        shutil.copytree(by, there)
        self.database.start()

    def test_records_of_an_older_version_begin_a_file(self):
        self.skipTest('the schema of a file; MysqlStoreTest brings older ones up to date')

    def test_while_a_service_runs(self):
        self.back_up()
        self.start()
        self.own('consent', {'require': True})
        self.stop()
        self.start()
        self.put_back()
        until = time.monotonic() + PATIENCE
        while True:
            status, answer = call_own(self.service, 'consent')
            if status == 200 and answer['required']:
                break
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)
        self.assert_put_back(self.stop(), consent_required=1)


if __name__ == '__main__':
    main()
