"""A service of its own for tests: started on a free port with an empty data folder, stopped by its
process id, never logging what it hears."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.request

from support import PATIENCE, SPOKEN, program_path


class Service:
    """Runs `lethe serve` until stop(); `keys` are those of its first start. With `tls` it listens on
    a second port too, at `tls_address`, with a certificate made for it: `certificate`."""

    def __init__(self, *arguments, data=None, env=None, tls=False, program=None):
        self.tls_folder, self.certificate = None, None
        self.own_folder = None if data else tempfile.mkdtemp(prefix='lethe_service_')
        self.data = data or os.path.join(self.own_folder, 'data')
        environment = dict(os.environ, **(env or {}))
        if tls:
            self.tls_folder = tempfile.mkdtemp(prefix='lethe_service_')
            arguments += self._make_certificate()
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [program or program_path(), 'serve', '--listen', '127.0.0.1:0', '--data', self.data,
             '--outbound.allow', '127.0.0.1/32', *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.errors = ''
        self.reader = threading.Thread(target=self._read_errors)
        self.reader.start()
        self.keys, self.address, self.tls_address = {}, None, None
        for line in self.process.stdout:
            if named := re.match(r'  (AppId|SecretId|SecretKey|API key|Console password).* (\S+)$',
                                 line):
                self.keys[named[1]] = named[2]
            if listening := re.match(r'listening on http://(\S+)$', line):
                self.address = listening[1]
                if not tls:
                    break
            if listening := re.match(r'listening on https://(\S+)$', line):
                self.tls_address = listening[1]
                break
        if self.address is None:
            self.process.wait(PATIENCE)
            self.reader.join()
            raise AssertionError('the service did not start: ' + self.errors)

    def _make_certificate(self):
        self.certificate = os.path.join(self.tls_folder, 'certificate.pem')
        key = self.renew_certificate()
        return ('--listen', 'tls:127.0.0.1:0', '--tls.certificate', self.certificate, '--tls.key',
                key)

    def renew_certificate(self):
        """Puts another key and certificate in the place of those that are there; says where the key is."""
        key = os.path.join(self.tls_folder, 'key.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                        '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1',
                        '-out', self.certificate, '-keyout', key], check=True,
                       stderr=subprocess.DEVNULL)
        return key

    def _read_errors(self):
        self.errors = self.process.stderr.read()

    @property
    def environment(self):
        """What the clients under tests/clients are told."""
        more = {}
        if self.tls_address:
            more = {'LETHE_TLS_URL': 'https://' + self.tls_address,
                    'NODE_EXTRA_CA_CERTS': self.certificate}
        return dict(os.environ, LETHE_ADDRESS=self.address, LETHE_URL='http://' + self.address, **more,
                    LETHE_APP_ID=self.keys['AppId'], LETHE_SECRET_ID=self.keys['SecretId'],
                    LETHE_SECRET_KEY=self.keys['SecretKey'], LETHE_KEY=self.keys['API key'])

    def get(self, path):
        """The status and the text of a plain GET."""
        with urllib.request.urlopen('http://' + self.address + path, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()

    def stop(self):
        """Asks it to stop; returns its exit code and what it said on standard error."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        for folder in (self.own_folder, self.tls_folder):
            if folder:
                shutil.rmtree(folder, ignore_errors=True)
        if SPOKEN.search(self.errors):
            raise AssertionError('a transcript on standard error: ' + self.errors)
        for secret in ('SecretKey', 'API key', 'Console password'):
            if secret in self.keys and self.keys[secret] in self.errors:
                raise AssertionError(f'the {secret} on standard error')
        return code, self.errors
