#!/usr/bin/env python3
"""The console's pages as people use them: signing in, forgetting, applications and keys; that pages of
others reach nothing; and that nothing stands in anybody's way, as axe-core judges it.

Method: console_driver.py; requests by hand, as browsers would send them from elsewhere.
"""

import base64
import http.client
import http.server
import json
import threading

from api3 import Api3
from console_driver import ALL_HOLD, MARKUP, ConsoleTest
from own_api import call_own
from service import Service
from support import PATIENCE, main, run
from tasks_test import Web


class ConsolePagesTest(ConsoleTest):

    def task(self):
        """A finished task; its number, as text."""
        keys = self.service.keys
        api = Api3(self.service.address, keys['SecretId'], keys['SecretKey'])
        with open(self.short, 'rb') as file:
            audio = file.read()
        made = api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)})
        number = made['Data']['TaskId']
        self.wait_until(lambda: api.call('DescribeTaskStatus', {'TaskId': number})['Data'][
            'StatusStr'] == 'success')
        return str(number)

    def test_signing_in_and_out_and_what_the_page_may_do(self):
        seen = self.drive('sign_in')
        self.assertEqual(seen['address'], f'http://{self.service.address}/console/')
        # The first paint, headers and all.
        self.assertLess(seen['bytes'], 100_000)
        policy = seen['headers']['content-security-policy']
        self.assertNotIn('unsafe', policy)
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'",
                     "frame-ancestors 'none'", "connect-src 'self'"):
            self.assertIn(part, policy)
        self.assertEqual(seen['headers']['x-content-type-options'], 'nosniff')
        self.assertEqual(seen['headers']['referrer-policy'], 'no-referrer')
        self.assertEqual(seen['wrong'], 'That is not the console’s password.')
        self.assertEqual(seen['menu'], ['Speak', 'Drop', 'Tasks', 'Held', 'Watch', 'Set up'])
        self.assertEqual(seen['cookie'], {'httpOnly': True, 'sameSite': 'Strict', 'path': '/',
                                          'secure': False})
        # A name is text, whatever is in it.
        self.assertIn(MARKUP, seen['application'])
        self.assertEqual((seen['images'], seen['title']), (0, 'Speak · Lethe'))
        self.assertTrue(seen['token'])
        self.assertEqual((seen['cookies_left'], seen['token_left']), (0, None))

    def request(self, method, path, headers=None, body=None):
        connection = http.client.HTTPConnection(self.service.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()

    def test_files_are_compressed_and_kept_by_browsers(self):
        plain = self.request('GET', '/console/')
        self.assertEqual(plain[0].headers['Content-Type'], 'text/html; charset=utf-8')
        etag = plain[0].headers['ETag']
        again = self.request('GET', '/console/', {'If-None-Match': etag})
        self.assertEqual((again[0].status, again[1]), (304, b''))
        for accepted, coding in (('gzip, deflate, br', 'br'), ('gzip', 'gzip'), ('br;q=0', None),
                                 ('br;q=0.5', 'br'), ('', None)):
            answer, body = self.request('GET', '/console/', {'Accept-Encoding': accepted})
            self.assertEqual(answer.headers['Content-Encoding'], coding)
            if coding is None:
                self.assertEqual(body, plain[1])
        script = plain[1].decode().split('src="')[1].split('"')[0]
        answer, body = self.request('GET', '/console/' + script)
        self.assertIn('immutable', answer.headers['Cache-Control'])
        self.assertIn(b'Speak', body)
        self.assertEqual(self.request('GET', '/console/../etc/passwd')[0].status, 404)
        self.assertEqual(self.request('GET', '/console')[0].headers['Location'], '/console/')
        # Whoever signs nothing and wants no page is told what is missing, as before.
        self.assertEqual(self.request('GET', '/')[0].status, 200)

    def test_a_session_needs_the_page_and_its_origin(self):
        origin = 'http://' + self.service.address
        ours = {'X-Lethe-Console': '1', 'Origin': origin}
        body = json.dumps({'password': self.service.keys['Console password']})
        for headers in ({}, {'X-Lethe-Console': '1'}, {'Origin': origin},
                        {**ours, 'Origin': 'http://127.0.0.1:1'}, {**ours, 'Origin': 'null'}):
            self.assertEqual(self.request('POST', '/console/session', headers, body)[0].status, 403)
        answer, told = self.request('POST', '/console/session', ours, body)
        cookie = answer.headers['Set-Cookie'].split(';')[0]
        token = json.loads(told)['token']
        # It goes into a header and into a WebSocket's list of subprotocols.
        self.assertRegex(token, r'^[\w-]{22,}$')
        self.assertNotIn('Secure', answer.headers['Set-Cookie'])
        over_tls, _ = self.request('POST', '/console/session',
                                   {**ours, 'Origin': 'https://' + self.service.address}, body)
        self.assertIn('; Secure', over_tls.headers['Set-Cookie'])

        def status(method, path, headers, body=None):
            return self.request(method, path, {'Cookie': cookie, **headers}, body)[0].status

        def signed_in(secret):
            return json.loads(self.request('GET', '/console/session', {
                'Cookie': cookie, 'X-Lethe-Console': secret})[1]).get('signed_in', False)
        mine = {'X-Lethe-Console': token, 'Origin': origin}
        self.assertEqual(status('GET', '/lethe/v1/applications', {'X-Lethe-Console': token}), 200)
        self.assertTrue(signed_in(token))
        # The cookie alone, which servers on other ports see, opens nothing.
        wrong = token[:-1] + ('A' if token[-1] != 'A' else 'B')
        for secret in ('1', wrong, token[:-1], token + 'A'):
            self.assertEqual(status('GET', '/lethe/v1/applications', {'X-Lethe-Console': secret}),
                             401)
            self.assertEqual(status('POST', '/lethe/v1/erase', {**ours, 'X-Lethe-Console': secret},
                                    json.dumps({'call_id': 'none'})), 401)
            self.assertFalse(signed_in(secret))
        # Nor does the other half alone.
        self.assertEqual(self.request('GET', '/lethe/v1/applications', mine)[0].status, 401)
        self.assertEqual(status('GET', '/lethe/v1/applications', {}), 401)
        self.assertEqual(status('GET', '/lethe/v1/applications',
                                {'X-Lethe-Console': token, 'Origin': 'http://evil.example'}), 401)
        erase = json.dumps({'call_id': 'none'})
        self.assertEqual(status('POST', '/lethe/v1/erase', {'X-Lethe-Console': token}, erase), 401)
        self.assertEqual(status('POST', '/lethe/v1/erase', mine, erase), 200)
        # For an application that is there and that is named.
        for app_id, expected in ((self.service.keys['AppId'], 400), ('1', 401), ('', 401)):
            self.assertEqual(status('POST', '/v1/audio/transcriptions',
                                    {**mine, 'X-Lethe-Application': app_id}, b''), expected)
        self.assertEqual(status('POST', '/v1/audio/transcriptions',
                                {**ours, 'X-Lethe-Application': self.service.keys['AppId']},
                                b''), 401)
        self.assertEqual(status('POST', '/v1/audio/transcriptions',
                                {'X-Lethe-Application': self.service.keys['AppId']}, b''), 401)
        self.assertEqual(status('DELETE', '/console/session', mine), 200)
        self.assertEqual(status('GET', '/lethe/v1/applications', {'X-Lethe-Console': token}), 401)

    def test_a_name_that_was_made_to_lead_here_reaches_nothing(self):
        port = self.service.address.split(':')[1]
        body = json.dumps({'password': self.service.keys['Console password']})
        for name, allowed in (('evil.example', False), ('localhost', True), ('[::1]', True),
                              ('127.0.0.1', True), ('127.0.0.1.evil.example', False)):
            host = f'{name}:{port}'
            page, text = self.request('GET', '/console/', {'Host': host})
            self.assertEqual(page.status, 200 if allowed else 403, host)
            answer, told = self.request('POST', '/console/session', {
                'Host': host, 'Origin': f'http://{host}', 'X-Lethe-Console': '1'}, body)
            self.assertEqual(answer.status, 200 if allowed else 403, host)
            if not allowed:
                self.assertIn(b'--console.hosts', text)
                self.assertIn('console.hosts', json.loads(told)['error']['message'])
                own, told = self.request('GET', '/lethe/v1/applications',
                                         {'Host': host, 'X-Lethe-Console': 'x' * 43})
                self.assertEqual((own.status, json.loads(told)['error']['code']),
                                 (403, 'other_host'))
        # For other interfaces the name is the client's affair.
        self.assertEqual(self.request('GET', '/healthz', {'Host': 'evil.example'})[0].status, 200)

    def test_an_operator_allows_a_name_and_a_proxy_passes_it_on(self):
        service = Service('--console.hosts', 'Speech.example.org')
        self.addCleanup(service.stop)
        body = json.dumps({'password': service.keys['Console password']})
        for host, status in (('speech.example.org', 200), ('speech.example.org:8443', 200),
                             ('evil.example', 403), (service.address, 200)):
            connection = http.client.HTTPConnection(service.address, timeout=PATIENCE)
            connection.request('POST', '/console/session', body, {
                'Host': host, 'Origin': f'https://{host}', 'X-Lethe-Console': '1'})
            answer = connection.getresponse()
            self.assertEqual(answer.status, status, host)
            answer.read()
            connection.close()
        for wrong in ('https://speech.example.org', 'speech.example.org:8443', ''):
            result = run('serve', '--check', '--console.hosts', wrong)
            self.assert_one_line(result, 'console.hosts')

    def test_two_services_on_one_host_do_not_sign_each_other_out(self):
        other = Service()
        self.addCleanup(other.stop)
        cookies = []
        for service in (self.service, other):
            connection = http.client.HTTPConnection(service.address, timeout=PATIENCE)
            connection.request('POST', '/console/session', json.dumps(
                {'password': service.keys['Console password']}), {
                    'Origin': 'http://' + service.address, 'X-Lethe-Console': '1'})
            answer = connection.getresponse()
            cookies.append((answer.headers['Set-Cookie'].split(';')[0],
                            json.loads(answer.read())['token']))
            connection.close()
        names = [cookie.split('=')[0] for cookie, _ in cookies]
        self.assertEqual(names, [f'lethe_console_{service.address.split(":")[1]}'
                                 for service in (self.service, other)])
        # As a browser has them, which keeps both and sends both.
        jar = '; '.join(cookie for cookie, _ in cookies)
        answer, told = self.request('GET', '/console/session', {
            'Cookie': jar, 'X-Lethe-Console': cookies[0][1]})
        self.assertTrue(json.loads(told)['signed_in'])

    def other_origin(self):
        """An origin with an empty page. Another port of the same host: the same site to the browser, so
        the console's cookie is sent."""
        handler = type('Empty', (http.server.BaseHTTPRequestHandler,), {
            'do_GET': lambda self: (self.send_response(200), self.end_headers()),
            'log_message': lambda *_: None})
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f'http://127.0.0.1:{server.server_port}'

    def test_pages_of_named_origins_reach_the_interfaces_with_a_key_only(self):
        origin = self.other_origin()
        service = Service('--cors.origins', origin)
        self.addCleanup(service.stop)
        with self.driver('named_origin', origin + '/', service=service) as driver:
            seen = self.seen(driver)
        # A page may read what was wrong, too. Neither cookie nor session are let in, nor is it to the rest.
        self.assertEqual(seen, {'models': 200, 'wrong': 400, 'session': 'refused', 'cookie': 'refused',
                                'own': 'refused'})

    def test_pages_of_other_origins_reach_nothing(self):
        task = self.task()
        seen = self.drive('other_origin', self.other_origin() + '/')
        # These the browser refuses.
        self.assertEqual((seen['read'], seen['with_header']), ('refused', 'refused'))
        # This it sends, and keeps the answer to itself.
        self.assertEqual(seen['erase'], 'opaque')
        held = call_own(self.service, f'held?class=result&task_id={task}')[1]['items']
        self.assertEqual(len(held), 1, 'nothing was erased')
        # And the server of that page, which was sent the cookie, and can set all headers.
        self.assertTrue(seen['cookie'])
        for headers in ({}, {'X-Lethe-Console': '1'}):
            self.assertEqual(self.request('GET', '/lethe/v1/applications', {
                'Cookie': seen['cookie'], 'Origin': seen['origin'], **headers})[0].status, 401)
        self.assertEqual(seen['socket'], 4002)
        calls = call_own(self.service, 'held?class=operation_log&call_id=v')[1]
        self.assertEqual(calls['items'], [])

    def test_what_is_held_is_forgotten_with_a_receipt(self):
        task = self.task()
        seen = self.drive('held', task)
        self.assertRegex(seen['countdown'], r'^(23 h \d\d min|1 d 0 h)$')
        self.assertEqual(seen['found'], '2 held.')
        # What is forgotten is what is shown, not what was typed since.
        self.assertTrue(seen['stale'])
        self.assertEqual(seen['asked'], f'Forget task {task}?')
        # An id is looked for in all applications.
        self.assertEqual(seen['columns'], ['Task', 'AppId', 'State', 'Since', 'Gone in'])
        self.assertEqual(seen['focused'], 'What was forgotten')
        self.assertIn('Forgotten: 1 text, 0 recordings, 1 row of the operation log.',
                      seen['forgotten'])
        self.assertEqual(seen['checks'], ALL_HOLD * 2)
        self.assertEqual(seen['receipt']['says']['cause'], 'requested')
        self.assertIn('only become shorter', seen['longer'])

    def test_tasks_are_cancelled_tried_again_and_called_back(self):
        web = Web()
        self.addCleanup(web.stop)
        web.serve_long_recording(self.long)
        keys = self.service.keys
        api = Api3(self.service.address, keys['SecretId'], keys['SecretKey'])

        def create(path, callback=None):
            made = api.call('CreateRecTask', {
                'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
                'Url': web.url + path, **({'CallbackUrl': web.url + callback} if callback else {})})
            return made['Data']['TaskId']

        def wait_for(task, wanted):
            self.wait_until(lambda: wanted(call_own(self.service, f'tasks?task_id={task}')[1]['tasks'][0]))
        web.refusing = True
        unanswered = create('/nothing.wav', '/done')
        failed = create('/late.wav')
        wait_for(unanswered, lambda task: task['callback']['state'] == 'given_up')
        wait_for(failed, lambda task: task['state'] == 'failed')
        web.serve('/late.wav', self.short)
        web.refusing = False
        running = create('/long.wav')
        wait_for(running, lambda task: 'progress' in task)
        seen = self.drive('tasks', str(running), str(failed), str(unanswered))
        self.assertRegex(seen['running'], r'running .*min \d\d s \(\d+ %\).*fetched from a URL')
        self.assertLess(seen['part'], 1)
        self.assertRegex(seen['note'], r'^\d+ tasks, 1 under way\.$')
        self.assertIn('does not answer', seen['away'])
        self.assertIn('running', seen['stayed'])
        self.assertIn('(FailedOperation.ErrorDownFile)', seen['failed'])
        self.assertIn('Callback to 127.0.0.1: given up after 2 attempts, the last in vain: receiver '
                      'answered HTTP 500.', seen['unanswered'])
        self.assertEqual((seen['asked'], seen['back']),
                         (f'Cancel task {running}?', f'Cancel, task {running}'))
        self.assertIn('cancelled on request', seen['cancelled'])
        self.assertEqual(seen['focused'], f'task-{running}')
        self.assertIn('delivered with 3 attempts', seen['delivered'])
        self.assertEqual(seen['stays'], seen['retried'])
        self.assertEqual(seen['filtered'],
                         [f'Task {task}' for task in (running, failed, unanswered)])
        self.assertEqual(seen['wrong'], 'A task’s id is a number.')
        self.assertEqual(seen['found'], [f'Task {failed}'])
        self.assertIn('Too late <img', seen['late'])
        self.assertEqual(seen['sent'], ['app_id', 'task_id', 'action'])
        self.assertTrue(seen['left'])
        self.assertEqual(seen['markup'].count('<img'), 5)
        self.assertEqual((seen['images'], seen['title']), (0, 'Tasks · Lethe'))
        self.assertTrue(seen['many'].endswith('look for older ones by state or id.'), seen['many'])
        self.assertFalse(seen['more'])
        self.assertIn('Callback to example.com: not made: they have withdrawn.', seen['untold'])
        self.assertEqual(seen['held'], {'which': str(failed), 'note': seen['held']['note']})
        self.assertRegex(seen['held']['note'], r'^[1-9] held\.$')

    def test_applications_and_keys_are_made_and_removed(self):
        seen = self.drive('set_up')
        self.assertRegex(seen['key'], r'^lethe-sk-\w{40}$')
        self.assertEqual([len(text) for text in seen['pair']], [36, 32])
        self.assertEqual(seen['left'], 0)
        # The removed key opens nothing; the pair is still there.
        self.assertEqual(call_own(self.service, 'applications', key=seen['key'])[0], 401)
        self.assertIn('no such key', seen['gone'])
        self.assertEqual(seen['rows'], 1)
        self.assertIn(f'http://{self.service.address}/v1/audio/transcriptions', seen['curl'])
        self.assertIn('<b>Ward</b> 4', json.dumps(call_own(
            self.service, 'applications', password=self.service.keys['Console password'])))

    def test_limits_vocabularies_and_consents_are_set(self):
        seen = self.drive('limits_and_vocabularies')
        self.assertFalse(seen['early'])
        self.assertEqual(seen['limits'], 'OpenAI transcriptions 7 the service’s')
        self.assertIn('amount', seen['wrong'])
        self.assertIn('1 to 11', seen['weight'])
        # What somebody else wrote meanwhile is not written over unasked.
        self.assertEqual(seen['changed'], 200)
        self.assertIn('Somebody changed it meanwhile', seen['meanwhile'])
        self.assertEqual(seen['words'], 'Elinor|10')
        self.assertRegex(seen['row'], r'^<u>Names</u> 1 \w{32} .* if a call names none')
        self.assertEqual(seen['findings'], [])
        self.assertRegex(seen['young'], 'parent')
        self.assertRegex(seen['consent'], r'^\w+ valid parent, DE ')

    def test_a_receipt_that_was_changed_does_not_verify(self):
        self.assertEqual(self.drive('spoilt_receipt', self.task())['checks'],
                         ['check-true', 'check-false', 'check-true',  # its number
                          'check-false', 'check-true', 'check-true'])  # what it says of its cause

    def test_nothing_serious_stands_in_anybodys_way(self):
        self.task()
        findings = self.drive('accessibility', self.short)['findings']
        self.assertEqual({name: found for name, found in findings.items() if found}, {})
        self.assertEqual(len(findings), 26)


if __name__ == '__main__':
    main()
