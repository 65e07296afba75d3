"""A MariaDB server of its own for tests: with a user, a password and a TLS certificate, on a free port
of loopback; its data in a temporary folder, ended by its process id."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

from support import PATIENCE, ReservedPort

PROGRAM, SQL = '/usr/sbin/mariadbd', '/usr/share/mysql'
# What needs care on the way: blanks, quotes, backslashes, what separates options.
PASSWORD = 'p w"x\'y\\z;=%'


class MariaDb:
    """A server with the database `lethe` and the user `lethe`."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix='lethe_mariadb_')
        self.reserved = ReservedPort()
        self.port = self.reserved.number
        self.process = None
        os.makedirs(self.path('data', 'mysql'))
        os.makedirs(self.path('tmp'))
        self.password_file = self.path('password')
        with open(self.password_file, 'w', encoding='utf-8') as file:
            file.write(PASSWORD + '\n')
        self._make_certificates()
        self._install()
        self.start()

    def path(self, *names):
        return os.path.join(self.folder, *names)

    @property
    def dsn(self):
        return f'mysql://lethe@127.0.0.1:{self.port}/lethe?tls_ca={self.path("ca.pem")}'

    @property
    def options(self):
        """What a service is told to find it."""
        return ['--store.dsn', self.dsn, '--store.password-file', self.password_file]

    def _openssl(self, *arguments):
        subprocess.run(['openssl', *arguments], cwd=self.folder, check=True, capture_output=True,
                       timeout=PATIENCE)

    def _make_certificates(self):
        for name in ('ca', 'stranger'):
            self._openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', name + '.key',
                          '-out', name + '.pem', '-days', '400', '-subj', '/CN=' + name)
        self._openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out',
                      'server.csr', '-subj', '/CN=localhost')
        with open(self.path('names'), 'w', encoding='utf-8') as file:
            file.write('subjectAltName=IP:127.0.0.1')
        self._openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
                      '-CAcreateserial', '-days', '400', '-out', 'server.pem', '-extfile', 'names')

    def _arguments(self):
        user = ['--user=root'] if os.geteuid() == 0 else []
        # A starting server removes all temporary tables of its tmpdir, those of other servers too.
        return [PROGRAM, '--no-defaults', '--datadir=' + self.path('data'), '--tmpdir=' + self.path('tmp'),
                '--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=16M',
                '--innodb-log-file-size=8M', '--innodb-flush-method=nosync', '--debug-no-sync', *user]

    def _install(self):
        statements = ['create database if not exists mysql;', 'use mysql;']
        for name in ('mysql_system_tables', 'mysql_performance_tables', 'mysql_system_tables_data'):
            with open(os.path.join(SQL, name + '.sql'), encoding='utf-8') as file:
                statements.append(file.read())
        quoted = PASSWORD.replace('\\', '\\\\').replace("'", "\\'")
        statements += ["DELETE FROM global_priv WHERE User = '';", 'FLUSH PRIVILEGES;',
                       'CREATE DATABASE lethe;', f"CREATE USER 'lethe'@'%' IDENTIFIED BY '{quoted}';",
                       "GRANT ALL ON lethe.* TO 'lethe'@'%';\n"]
        made = subprocess.run([*self._arguments(), '--bootstrap'], input='\n'.join(statements),
                              text=True, capture_output=True, timeout=PATIENCE, check=False)
        if made.returncode != 0 or 'ERROR' in made.stderr:
            raise AssertionError('mariadbd --bootstrap: ' + made.stderr)

    def start(self):
        """Starts it on the data that is there, and waits until it listens."""
        with open(self.path('log'), 'ab') as log:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                [*self._arguments(), '--socket=' + self.path('socket'),
                 '--pid-file=' + self.path('pid'), f'--port={self.port}', '--bind-address=127.0.0.1,127.0.0.2',
                 '--ssl-ca=' + self.path('ca.pem'), '--ssl-cert=' + self.path('server.pem'),
                 '--ssl-key=' + self.path('server.key')], stdout=log, stderr=log)
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    with open(self.path('log'), encoding='utf-8') as log:
                        raise AssertionError('mariadbd ended: ' + log.read()) from None
                time.sleep(0.05)

    def kill(self):
        """Ends it as a power cut would."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self):
        self.kill()
        self.reserved.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def everything_stored(self):
        """All bytes of its files."""
        texts = []
        for folder, _, names in os.walk(self.path('data')):
            for name in names:
                with open(os.path.join(folder, name), 'rb') as file:
                    texts.append(file.read())
        return b''.join(texts)
