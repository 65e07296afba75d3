"""An S3 server that is not ours, for tests: s3rver (tests/s3/server.mjs) with a folder of its own, on a
free port of loopback, ended with its standard input."""

import os
import shutil
import subprocess
import tempfile
import unittest

import mariadb
from support import PATIENCE

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 's3')
INSTALLED = os.path.join(FOLDER, 'node_modules', 's3rver')
BUCKET = 'lethe-tests'


def require_servers():
    """Skips the tests of a class where MariaDB or s3rver is missing; fails where everything must run."""
    for needed in (mariadb.PROGRAM, INSTALLED):
        if os.path.exists(needed):
            continue
        if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
            raise AssertionError(f'{needed} is missing')
        raise unittest.SkipTest(f'{needed} is missing')


class S3Server:
    """A server with one bucket; what it keeps is under `folder`."""

    def __init__(self, env=None):
        self.folder = tempfile.mkdtemp(prefix='lethe_s3_')
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            ['node', '--openssl-legacy-provider', '--no-deprecation',
             os.path.join(FOLDER, 'server.mjs'), self.folder, BUCKET],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=dict(os.environ, **(env or {})))
        self.port = int(self.process.stdout.readline())
        self.keys_file = os.path.join(self.folder, 'keys')
        with open(self.keys_file, 'w', encoding='utf-8') as file:
            file.write('S3RVER\nS3RVER\n')
        os.chmod(self.keys_file, 0o600)

    @property
    def options(self):
        """What a service is told to find the bucket."""
        return ['--store.objects',
                f's3://{BUCKET}/recordings?endpoint=http://127.0.0.1:{self.port}',
                '--store.objects-keys', self.keys_file]

    def objects(self):
        """The files of objects that it has."""
        return [os.path.join(parent, name) for parent, _, names in os.walk(self.folder)
                for name in names if name.endswith('_object') and 'recordings/audio' in parent]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
