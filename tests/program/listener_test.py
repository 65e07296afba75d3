#!/usr/bin/env python3
"""Clients whose endpoint cannot be changed: the service listens on 443 with TLS and on 80 without,
under the cloud's own names.

Method: a certificate authority made here; the official Node client with its default endpoint, to
which a name resolves to a loopback address in its process alone (tests/clients/resolve_hook.cjs). A
machine that does not let us have the ports skips these tests and says so.
"""

import http.client
import json
import os
import socket
import ssl
import subprocess
import unittest

import realtime_call
from service import Service
from support import PATIENCE, SpeechTest, main, word_errors

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'clients')
# All of 127.0.0.0/8 is this machine; nobody else listens here.
ADDRESS = '127.0.0.77'
NAMES = ('asr.tencentcloudapi.com', 'asr.cloud.tencent.com')


def require_ports():
    for port in (443, 80):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((ADDRESS, port))
            except OSError as error:
                raise unittest.SkipTest(f'cannot have port {port} of {ADDRESS}: {error.strerror}; '
                                        'run as root where nothing else listens') from error


def make_certificates(folder):
    """A certificate authority, and a certificate by it for the cloud's names, as files."""
    def path(name):
        return os.path.join(folder, name)

    def openssl(*arguments):
        subprocess.run(['openssl', *arguments], check=True, capture_output=True, timeout=PATIENCE)
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=Test CA',
            '-keyout', path('ca.key'), '-out', path('ca.pem'))
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=' + NAMES[0],
            '-keyout', path('key.pem'), '-out', path('request.pem'))
    with open(path('names'), 'w', encoding='utf-8') as file:
        file.write('subjectAltName=' + ','.join('DNS:' + name for name in NAMES))
    openssl('x509', '-req', '-in', path('request.pem'), '-days', '2', '-CA', path('ca.pem'),
            '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('names'),
            '-out', path('cert.pem'))
    return path('ca.pem'), path('cert.pem'), path('key.pem')


class ListenerTest(SpeechTest):

    def setUp(self):
        super().setUp()
        require_ports()
        self.ca, certificate, key = make_certificates(self.folder)
        self.service = Service('--listen', f'tls:{ADDRESS}:443', '--listen', f'{ADDRESS}:80',
                               '--tls.certificate', certificate, '--tls.key', key)
        self.addCleanup(self.service.stop)

    def test_the_official_client_with_its_own_endpoint_is_served(self):
        if not os.path.isdir(os.path.join(CLIENTS, 'node_modules', 'tencentcloud-sdk-nodejs-asr')):
            self.skipTest('the clients are not installed: make clients')

        def ask(**environment):
            made = subprocess.run(
                ['node', '--require', os.path.join(CLIENTS, 'resolve_hook.cjs'),
                 os.path.join(CLIENTS, 'default_endpoint_client.mjs'), self.long],
                env={**self.service.environment, 'LETHE_RESOLVE_TO': ADDRESS, **environment},
                capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(made.returncode, 0, made.stderr)
            return json.loads(made.stdout)
        answer = ask(NODE_EXTRA_CA_CERTS=self.ca)
        self.assertLessEqual(word_errors(self.spoken[self.long], answer.get('Result', '')), 2,
                             answer)
        # It does look at the certificate, and the signature is looked at.
        self.assertIn('certificate', ask()['message'])
        self.assertEqual(ask(NODE_EXTRA_CA_CERTS=self.ca, LETHE_SECRET_KEY='another')['error'],
                         'AuthFailure.SignatureFailure')

    def test_both_names_and_both_ports_reach_every_interface(self):
        trusted = ssl.create_default_context(cafile=self.ca)
        keys = self.service.keys

        def request(name, tls, method, target, headers=None):
            connection = http.client.HTTPConnection(ADDRESS, 443 if tls else 80, timeout=PATIENCE)
            connection.connect()
            if tls:
                connection.sock = trusted.wrap_socket(connection.sock, server_hostname=name)
            connection.request(method, target, headers={'Host': name, **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            return answer.status, text
        for name in NAMES:
            for tls in (True, False):
                with self.subTest(name, tls=tls):
                    self.assertRegex(request(name, tls, 'GET', '/server_time')[1], r'^\d{10}$')
                    status, text = request(name, tls, 'POST', '/')
                    self.assertEqual(status, 200)
                    self.assertIn('AuthFailure', text)
                    status, text = request(name, tls, 'POST', '/asr/flash/v1/' + keys['AppId'])
                    self.assertEqual((status, json.loads(text)['code']), (200, 4002))
                    status, _ = request(name, tls, 'GET', realtime_call.target(keys), {
                        'Upgrade': 'websocket', 'Connection': 'Upgrade',
                        'Sec-WebSocket-Version': '13',
                        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='})
                    self.assertEqual(status, 101)
        with self.assertRaises(ssl.SSLCertVerificationError):
            request('asr.example.com', True, 'GET', '/server_time')


if __name__ == '__main__':
    main()
