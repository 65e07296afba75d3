#!/usr/bin/env python3
"""Applications and keys by command: told once, kept well, refused clearly."""

import os
import pty
import re
import stat
import subprocess

from support import PATIENCE, ProgramTest, main, program_path, run

PAIR = re.compile(r'AppId      (\d+)\nSecretId   (AKID[A-Za-z0-9]{32})\n'
                  r'SecretKey  ([A-Za-z0-9]{32})\n\nKeep the SecretKey now: .*\n')
BEARER = re.compile(r'AppId      (\d+)\nKey        (bearer-[A-Za-z0-9]{12})\n'
                    r'Bearer     (lethe-sk-[A-Za-z0-9]{40})\n\nKeep the bearer key now: .*\n')


class AccountsTest(ProgramTest):

    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.folder, 'data')

    def lethe(self, *arguments):
        return run(*arguments, '--data', self.data)

    def good(self, *arguments):
        return self.assert_good(self.lethe(*arguments))

    def everything_stored(self):
        texts = []
        for folder, _, names in os.walk(self.data):
            for name in names:
                with open(os.path.join(folder, name), 'rb') as file:
                    texts.append(file.read())
        return b''.join(texts)

    def test_an_application_is_made_listed_changed_and_removed(self):
        created = self.good('apps', 'create', 'dictation')
        self.assertRegex(created, r'^AppId  1300000001\nUin    100000000001\n\n.*--app 1300000001\n$')
        self.good('apps', 'create', 'archive', '--account', '100000000001')
        self.assertEqual(self.good('apps', 'disable', 'dictation'), '1300000001: disabled\n')
        self.good('apps', 'rename', '1300000002', 'attic')
        self.good('apps', 'quota', 'attic', '--interface', 'sentence', '--rate', '50',
                  '--concurrency', '5')
        listing = self.good('apps', 'list')
        self.assertRegex(listing, '(?m)^1300000001  100000000001  disabled .* dictation +as usual$')
        self.assertRegex(listing, '(?m)^1300000002  100000000001  enabled .* attic '
                                  '+sentence: 50 a second, 5 at once$')
        self.assertIn('Records are kept in ' + self.data, listing)
        self.good('apps', 'quota', 'attic', '--interface', 'sentence')
        self.good('apps', 'enable', '1300000001')
        # There is no way back, so nobody removes one by mistake.
        result = self.lethe('apps', 'remove', 'attic')
        self.assert_one_line(result, '1300000002 (attic)', 'nothing was removed', '--yes')
        self.assertIn('attic', self.good('apps', 'list'))
        self.assertEqual(self.good('apps', 'remove', 'attic', '--yes'), '1300000002: removed, and erased: 0 results, 0 recordings, 0 rows of the operation '
                         'log\n')
        listing = self.good('apps', 'list')
        self.assertNotIn('attic', listing)
        self.assertNotIn('disabled', listing)

    def test_somebody_at_a_terminal_types_the_name_of_what_is_removed(self):
        self.good('apps', 'create', 'attic')
        for typed, removed in ((b'y\n', False), (b'\n', False), (b'attic\n', True)):
            ours, theirs = pty.openpty()
            os.write(ours, typed)
            result = subprocess.run([program_path(), 'apps', 'remove', 'attic', '--data', self.data], stdin=theirs,
                                    capture_output=True, text=True, timeout=PATIENCE, check=False)
            os.close(ours)
            os.close(theirs)
            self.assertIn('1300000001 (attic)', result.stderr)
            self.assertEqual((result.returncode, 'nothing was removed' in result.stderr), (0, False) if removed else (1, True))
            self.assertEqual('attic' in self.good('apps', 'list'), not removed)

    def test_secrets_are_shown_once_and_stored_sealed_or_hashed(self):
        self.good('apps', 'create', 'dictation')
        pair = PAIR.fullmatch(self.good('keys', 'create', '--app', 'dictation'))
        bearer = BEARER.fullmatch(self.good('keys', 'create', '--app', '1300000001', '--bearer'))
        password = re.match(r'Console password  (\S+)\n', self.good('keys', 'password'))
        self.assertTrue(pair and bearer and password)
        listing = self.good('keys', 'list', '--app', 'dictation')
        self.assertRegex(listing, f'(?m)^{pair[2]} +pair +1300000001 +enabled .* {pair[3][-4:]}$')
        self.assertRegex(listing, f'(?m)^{bearer[2]} +bearer .* {bearer[3][-4:]}$')
        stored = self.everything_stored()
        self.assertIn(pair[2].encode(), stored)
        for secret in (pair[3], bearer[3], password[1]):
            self.assertNotIn(secret, listing)
            self.assertNotIn(secret.encode(), stored)

    def test_keys_are_disabled_enabled_and_removed(self):
        self.good('apps', 'create', 'dictation')
        key = PAIR.fullmatch(self.good('keys', 'create', '--app', 'dictation'))[2]
        self.assertEqual(self.good('keys', 'disable', key), key + ': disabled\n')
        self.assertIn('disabled', self.good('keys', 'list'))
        self.good('keys', 'enable', key)
        self.assertNotIn('disabled', self.good('keys', 'list'))
        self.good('keys', 'remove', key)
        self.assertNotIn(key, self.good('keys', 'list'))
        for command in ('disable', 'enable', 'remove'):
            self.assert_one_line(self.lethe('keys', command, key), 'no such key', 'lethe keys list')

    def test_what_is_not_there_is_one_clear_line(self):
        for arguments in (('apps', 'list'), ('apps', 'disable', 'x'), ('keys', 'list'),
                          ('keys', 'create', '--app', 'x'), ('keys', 'password')):
            self.assert_one_line(self.lethe(*arguments), 'no records yet', self.data)
            self.assertFalse(os.path.exists(self.data))
        self.good('apps', 'create', 'dictation')
        for arguments in (('apps', 'disable', 'x'), ('apps', 'remove', '1300000009'),
                          ('apps', 'rename', 'x', 'y'), ('keys', 'list', '--app', 'x'),
                          ('keys', 'create', '--app', 'x')):
            self.assert_one_line(self.lethe(*arguments), 'lethe apps list')
        self.assert_one_line(self.lethe('apps', 'create', 'dictation'), 'of that name already')
        self.assert_one_line(self.lethe('apps', 'create', 'x', '--account', '5'), 'account')
        self.assert_one_line(self.lethe('apps', 'create', 'a\nb'), 'control character')
        self.assert_one_line(self.lethe('apps', 'create', 'x' * 65), '65')

    def test_wrong_command_lines_are_errors_of_usage(self):
        for arguments in ('apps', 'keys', 'apps create', 'keys create', 'keys disable',
                          'apps quota x', 'apps quota x --interface nonsense',
                          'apps quota x --interface sentence --rate -1',
                          'apps create x --account y'):
            result = self.lethe(*arguments.split())
            self.assertEqual((result.returncode, result.stdout), (2, ''), arguments)
        self.assertFalse(os.path.exists(self.data))

    def test_the_folder_is_the_owners_and_kept_so(self):
        self.good('apps', 'create', 'dictation')
        for folder, _, names in os.walk(self.data):
            for path in (folder, *(os.path.join(folder, name) for name in names)):
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, path)
        key = os.path.join(self.data, 'keys', 'master.key')
        os.chmod(key, 0o644)
        self.assert_one_line(self.lethe('apps', 'list'), 'chmod 600', key)
        os.chmod(key, 0o600)
        with open(key, 'ab') as file:
            file.write(b'x')
        self.assert_one_line(self.lethe('apps', 'list'), '32 bytes', key)
        os.remove(key)
        self.assert_one_line(self.lethe('apps', 'create', 'x'), 'restore', key)
        self.assertFalse(os.path.exists(key))
        with open(key, 'wb') as file:
            file.write(bytes(32))
        os.chmod(key, 0o600)
        self.assert_one_line(self.lethe('apps', 'list'), 'another master key')

    def test_damaged_records_are_one_clear_line(self):
        self.good('apps', 'create', 'dictation')
        with open(os.path.join(self.data, 'records.db'), 'r+b') as file:
            file.write(b'these are my notes')
        self.assert_one_line(self.lethe('apps', 'list'), 'no database', 'records.db')

    def test_a_key_that_could_not_be_told_is_not_kept(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full')
        self.good('apps', 'create', 'dictation')
        with open('/dev/full', 'wb') as full:
            result = run('keys', 'create', '--app', 'dictation', '--data', self.data, stdout=full)
        self.assert_one_line(result, 'standard output')
        self.assertNotIn('AKID', self.good('keys', 'list'))

    def test_commands_at_once_all_succeed(self):
        commands = [subprocess.Popen([program_path(), 'apps', 'create', f'app-{i}', '--data',
                                      self.data], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                    for i in range(6)]
        for command in commands:
            _, errors = command.communicate(timeout=300)
            self.assertEqual((command.returncode, errors), (0, b''))
        listing = self.good('apps', 'list')
        self.assertEqual(len(set(re.findall(r'(?m)^13\d+', listing))), 6)

    def test_the_folder_is_found_by_its_variables(self):
        for variable, folder in (('LETHE_DATA', 'own'), ('XDG_DATA_HOME', 'xdg/lethe'),
                                 ('HOME', 'home/.local/share/lethe')):
            value = os.path.join(self.folder, folder.split('/')[0])
            env = {'LETHE_DATA': '', 'XDG_DATA_HOME': '', variable: value}
            self.assert_good(run('apps', 'create', variable, env=env))
            path = os.path.join(self.folder, folder)
            self.assertTrue(os.path.exists(os.path.join(path, 'records.db')))
            self.assertIn(path, self.assert_good(run('apps', 'list', env=env)))


if __name__ == '__main__':
    main()
