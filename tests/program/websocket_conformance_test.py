#!/usr/bin/env python3
"""WebSocket as RFC 6455 has it, tried by a peer that is not ours.

Method: the categories of Autobahn's public test suite, case by case, under its numbers, against the
server's own sockets with an echo behind them (tests/support/websocket_echo.cc); then what matters
most against /asr/v2 of the service itself. The suite is no Debian package; its peer here is
python3-wsproto (websocket_peer.py). Every case of few bytes is sent three times: as one write, a
write for each frame, and byte by byte.
"""

import hashlib
import os
import socket
import struct
import subprocess

import realtime_call
import websocket_peer
from service import Service
from support import PATIENCE, ProgramTest, SpeechTest, main, program_path
from websocket_peer import (BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Peer, Refused, close,
                            frame, message, ping, pong)

GREEK = '\u03ba\u1f79\u03c3\u03bc\u03b5'.encode()
SURROGATE = b'\xed\xa0\x80'
DONE = [close(1000)]
CLOSED = [('close', 1000, '')]
BROKEN = [('close', 1002, '')]
NOT_UTF8 = [('close', 1007, '')]


class EchoServer:
    """The program build/tests/websocket_echo; ends with its standard input."""

    def __init__(self):
        program = os.path.join(os.path.dirname(program_path()), 'tests', 'websocket_echo')
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.address = f'127.0.0.1:{int(self.process.stdout.readline())}'

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        if self.process.wait(PATIENCE) != 0:
            raise AssertionError('the echo server failed')


def in_bytes(text):
    """A text of one byte each fragment."""
    return [frame(TEXT if i == 0 else CONTINUATION, text[i:i + 1], fin=i + 1 == len(text))
            for i in range(len(text))]


def digest(data):
    return ('text', f'{len(data)} {hashlib.sha256(data).hexdigest()}')


class WebSocketConformanceTest(ProgramTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        websocket_peer.require_wsproto()
        cls.server = EchoServer()
        cls.addClassCleanup(cls.server.stop)

    def peer(self, target='/echo', **options):
        peer = Peer(self.server.address, target, **options)
        self.addCleanup(peer.socket.close)
        return peer

    def check(self, case, frames, expected, pieces=('all', 'frame', 1), target='/echo'):
        """Frames go out, in writes of each of these sizes; then comes what is expected, and the end
        of the connection."""
        for piece in pieces:
            with self.subTest(case=case, piece=piece), self.peer(target) as peer:
                if piece == 'frame':
                    for one in frames:
                        peer.send(one)
                else:
                    peer.send(b''.join(frames), None if piece == 'all' else piece)
                self.assertEqual(peer.rest(), expected)

    def test_1_framing(self):
        for i, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
            text = '*' * size
            pieces = ('all', 997) if size > 1000 else ('all', 'frame', 1)
            self.check(f'1.1.{i}', message(text) + DONE, [('text', text), *CLOSED], pieces)
            data = b'\xfe' * size
            self.check(f'1.2.{i}', message(data) + DONE, [digest(data), *CLOSED], pieces)

    def test_2_pings_and_pongs(self):
        payload = bytes(range(0, 250, 2))
        for case, frames, expected in (
                ('2.1', [ping()], [('pong', b'')]),
                ('2.2', [ping(b'Hello')], [('pong', b'Hello')]),
                ('2.3', [ping(b'\x00\xff\xfe\xfd\xfc\xfb\x00\xff')],
                 [('pong', b'\x00\xff\xfe\xfd\xfc\xfb\x00\xff')]),
                ('2.4', [ping(payload)], [('pong', payload)]),
                ('2.7', [pong()], []),
                ('2.8', [pong(b'unasked')], []),
                ('2.9', [pong(b'unasked'), ping(b'asked')], [('pong', b'asked')]),
                ('2.10', [ping(b'%d' % i) for i in range(10)],
                 [('pong', b'%d' % i) for i in range(10)])):
            self.check(case, frames + DONE, expected + CLOSED)
        self.check('2.5', [frame(PING, payload + b'x')], BROKEN)

    def test_3_reserved_bits(self):
        before = message('before')
        echoed = [('text', 'before')]
        self.check('3.1', [frame(TEXT, b'x', rsv=1)], BROKEN)
        for rsv in range(1, 8):
            self.check(f'3.2 to 3.4, {rsv}', before + [frame(TEXT, b'x', rsv=rsv), ping()],
                       echoed + BROKEN)
            self.check(f'3.5, {rsv}', [frame(BINARY, b'\xff', rsv=rsv)], BROKEN)
            self.check(f'3.6, {rsv}', [frame(PING, b'x', rsv=rsv)], BROKEN)
            self.check(f'3.7, {rsv}', [frame(CLOSE, b'\x03\xe8', rsv=rsv)], BROKEN)

    def test_4_opcodes(self):
        for kind, opcodes in (('4.1', range(3, 8)), ('4.2', range(11, 16))):
            for opcode in opcodes:
                self.check(f'{kind}, {opcode}, empty', [frame(opcode)], BROKEN)
                self.check(f'{kind}, {opcode}', [frame(opcode, b'payload')], BROKEN)
                self.check(f'{kind}, {opcode}, later',
                           message('before') + [frame(opcode, b'x'), ping()],
                           [('text', 'before')] + BROKEN)

    def test_5_fragmentation(self):
        whole = [('text', 'onetwo')]
        one, two = message('one', 'two')
        for case, frames, expected in (
                ('5.3 to 5.5', [one, two], whole),
                ('5.6 to 5.8', [one, ping(b'between'), two], [('pong', b'between')] + whole),
                ('5.19, 5.20', [*message(*'abcde')[:2], ping(b'1'),
                                *message(*'abcde')[2:4], ping(b'2'), message(*'abcde')[4]],
                 [('pong', b'1'), ('pong', b'2'), ('text', 'abcde')])):
            self.check(case, frames + DONE, expected + CLOSED)
        for case, frames in (
                ('5.1', [frame(PING, b'a', fin=False), frame(CONTINUATION, b'b')]),
                ('5.2', [frame(PONG, b'a', fin=False), frame(CONTINUATION, b'b')]),
                ('5.9 to 5.11', [frame(CONTINUATION, b'x'), *message('after')]),
                ('5.12 to 5.14', [frame(CONTINUATION, b'x', fin=False), *message('after')]),
                ('5.18', [frame(TEXT, b'a', fin=False), frame(TEXT, b'b')])):
            self.check(case, frames, BROKEN)
        self.check('5.15', [one, two, frame(CONTINUATION, b'x', fin=False), *message('after')],
                   whole + BROKEN)
        for fin in (False, True):
            self.check('5.16, 5.17', [frame(CONTINUATION, b'x', fin=fin),
                                      *in_bytes(b'after')] * 2, BROKEN)

    def test_6_text_that_is_utf8_comes_back(self):
        euro = 'Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!'.encode()
        first_and_last = ('', '\x00', '\x7f', '\u0080', '\u07ff', '\u0800', '\uffff', '\U00010000',
                          '\ud7ff', '\ue000', '\ufffd', '\U0010ffff')
        specials = [chr(plane << 16 | low) for plane in range(17) for low in (0xfffe, 0xffff)]
        specials += [chr(code) for code in (*range(0xfff9, 0xfffe), 0xfdd0, 0xfdef)]
        texts = [text.encode() for text in first_and_last] + [
            text.encode() for text in specials] + [euro, GREEK, '\u65e5\u672c\u8a9e'.encode()]
        for i, text in enumerate(texts):
            echoed = [('text', text.decode()), *CLOSED]
            self.check(f'6.2, 6.5, 6.7, 6.9, 6.11, 6.22, 6.23: {i}', [frame(TEXT, text)] + DONE,
                       echoed, ('all', 1))
            if text:
                self.check(f'6.2.3, 6.2.4, 6.6: {i}', in_bytes(text) + DONE, echoed, ('all',))
        self.check('6.1.1', message('') + DONE, [('text', ''), *CLOSED])
        self.check('6.1.2', message('', '', '') + DONE, [('text', ''), *CLOSED])
        self.check('6.1.3', message('', 'middle', '') + DONE, [('text', 'middle'), *CLOSED])

    def test_6_text_that_is_not_utf8_is_refused(self):
        whole = [b'\xc2\x80', b'\xe0\xa0\x80', b'\xf0\x90\x80\x80', b'\xdf\xbf', b'\xef\xbf\xbf',
                 b'\xf4\x8f\xbf\xbf', b'\xee\x80\x80']
        bad = [
            GREEK + SURROGATE + b'edited',  # 6.3
            b'\xf4\x90\x80\x80', b'\xf7\xbf\xbf\xbf',  # 6.8, 6.10
            b'\xf8\x88\x80\x80\x80', b'\xfb\xbf\xbf\xbf\xbf', b'\xfc\x84\x80\x80\x80\x80',
            b'\xfd\xbf\xbf\xbf\xbf\xbf',
            *(b'\x80\xbf\x80\xbf\x80\xbf\x80'[:n] for n in range(1, 8)), b'\xbf',  # 6.12
            bytes(range(0x80, 0xc0)),
            b' '.join(bytes([c]) for c in range(0xc0, 0xe0)) + b' ',  # 6.13
            b' '.join(bytes([c]) for c in range(0xe0, 0xf0)) + b' ',
            b' '.join(bytes([c]) for c in range(0xf0, 0xf8)) + b' ',
            *(text[:-1] for text in whole),  # 6.6, 6.14
            b''.join(text[:-1] for text in whole),  # 6.15
            b'\xfe', b'\xff', b'\xfe\xfe\xff\xff',  # 6.16
            # 6.17, 6.18, 6.19: longer than needed
            b'\xc0\xaf', b'\xe0\x80\xaf', b'\xf0\x80\x80\xaf', b'\xf8\x80\x80\x80\xaf',
            b'\xfc\x80\x80\x80\x80\xaf', b'\xc1\xbf', b'\xe0\x9f\xbf', b'\xf0\x8f\xbf\xbf',
            b'\xf8\x87\xbf\xbf\xbf', b'\xfc\x83\xbf\xbf\xbf\xbf', b'\xc0\x80', b'\xe0\x80\x80',
            b'\xf0\x80\x80\x80', b'\xf8\x80\x80\x80\x80', b'\xfc\x80\x80\x80\x80\x80',
            # 6.20, 6.21: surrogates
            *(bytes((0xed, second, last)) for second in (0xa0, 0xad, 0xae, 0xaf, 0xb0, 0xbe, 0xbf)
              for last in (0x80, 0xbf)),
            *(bytes((0xed, high, 0x80, 0xed, low, 0xbf)) for high in (0xa0, 0xad, 0xae, 0xaf)
              for low in (0xb0, 0xbf)),
        ]
        for text in bad:
            self.check(f'6: {text.hex()}', [frame(TEXT, text)], NOT_UTF8, ('all', 1))
            self.check(f'6, in fragments: {text.hex()}', in_bytes(text), NOT_UTF8, ('all',))
        for text in whole:
            self.check(f'6.14, then more: {text.hex()}',
                       [frame(TEXT, text[:-1], fin=False), frame(CONTINUATION, b'x')], NOT_UTF8)

    def test_6_4_bad_text_is_refused_before_its_end(self):
        """The rest is never sent: who waits for it, waits for ever."""
        for case, first, second in (('6.4.1', GREEK, b'\xf4\x90\x80\x80'),
                                    ('6.4.2', GREEK + b'\xf4', b'\x90')):
            self.check(case, [frame(TEXT, first, fin=False),
                              frame(CONTINUATION, second, fin=False)], NOT_UTF8)
        for case, begun in (('6.4.3', GREEK + b'\xf4\x90\x80\x80'), ('6.4.4', GREEK + b'\xf4\x90')):
            unfinished = frame(TEXT, begun + b'x' * 100)[:-100]
            self.check(case, [unfinished], NOT_UTF8)

    def test_7_closing(self):
        large = 'x' * (256 << 10)
        one, two = message('one', 'two')
        for case, frames, expected in (
                ('7.1.1', message('hello') + DONE, [('text', 'hello')]),
                ('7.1.2', DONE * 2, []),
                ('7.1.3', [*DONE, ping(b'late')], []),
                ('7.1.4', DONE + message('late'), []),
                ('7.1.5', [one, *DONE, two], []),
                ('7.3.1', [close()], [])):
            self.check(case, frames, expected + CLOSED)
        self.check('7.1.6', [*message(large), *DONE, ping()], [('text', large), *CLOSED],
                   ('all', 'frame'))
        self.check('7.3.2', [frame(CLOSE, b'\x03')], BROKEN)
        self.check('7.3.3', [close(1000)], CLOSED)
        for case, reason in (('7.3.4', 'good-bye'), ('7.3.5', 'x' * 123)):
            self.check(case, [close(1000, reason)], CLOSED)
        self.check('7.3.6', [frame(CLOSE, b'\x03\xe8' + b'x' * 124)], BROKEN)
        self.check('7.5.1', [frame(CLOSE, b'\x03\xe8' + GREEK + SURROGATE)], BROKEN)
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999,
                     4000, 4999):
            self.check(f'7.7, {code}', [close(code)], [('close', code, '')])
        for code in (0, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1100, 2000, 2999):
            self.check(f'7.9, {code}', [frame(CLOSE, struct.pack('!H', code))], BROKEN)

    def test_7_the_server_closes_first(self):
        closed = ('close', 4321, 'enough')
        with self.peer('/close') as peer:
            self.assertEqual(peer.rest(), [closed])
        # Without the answer it waits for, it hangs up all the same.
        with self.peer('/close') as peer:
            peer.send(b''.join(message('still', 'talking')))
            events = peer.events()
            self.assertEqual(next(events), closed)
            while peer.socket.recv(4096):
                pass

    def test_9_large_messages_and_many(self):
        for i, size in enumerate((64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20), 1):
            text, data = '*' * size, b'\xfe' * size
            self.check(f'9.1.{i}', message(text) + DONE, [('text', text), *CLOSED], ('all',))
            self.check(f'9.2.{i}', message(data) + DONE, [digest(data), *CLOSED], ('all',))
        four = 4 << 20
        for i in range(9):
            size = 64 << (2 * i)
            size = min(size, four)
            pieces = [b'*' * size] * (four // size)
            self.check(f'9.3, 9.4, {size}', message(*pieces) + DONE,
                       [digest(b''.join(pieces)), *CLOSED], ('all',))
        million = b'\xfe' * (1 << 20)
        for i, piece in enumerate((64, 128, 256, 512, 1024, 2048), 1):
            self.check(f'9.5.{i}', message('*' * len(million)) + DONE,
                       [('text', '*' * len(million)), *CLOSED], (piece,))
            self.check(f'9.6.{i}', message(million) + DONE, [digest(million), *CLOSED], (piece,))
        for i, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            with self.subTest(case=f'9.7.{i}, 9.8.{i}'), self.peer() as peer:
                text, data = '*' * size, b'\xfe' * size
                events = peer.events()
                for _ in range(1000):
                    peer.send(message(text)[0])
                    self.assertEqual(next(events), ('text', text))
                    peer.send(message(data)[0])
                    self.assertEqual(next(events), digest(data))

    def test_9_messages_beyond_the_limit_are_refused_by_their_headers(self):
        limit = 64 << 10
        too_big = [('close', 1009, '')]
        for opcode in (TEXT, BINARY):
            self.check('at the limit', [frame(opcode, b'x' * limit)] + DONE,
                       [('text', 'x' * limit) if opcode == TEXT else digest(b'x' * limit), *CLOSED],
                       ('all',), '/small')
            self.check('over it', [frame(opcode, b'x' * (limit + 1))], too_big, ('all',), '/small')
            self.check('together', [frame(opcode, b'x' * limit, fin=False),
                                    frame(CONTINUATION, b'x')], too_big, ('all', 'frame'), '/small')
        # Only the header is there.
        for size in (limit + 1, (1 << 32) + 5, (1 << 63) - 1):
            self.check(f'announced: {size}',
                       [frame(BINARY, length=b'\x7f' + struct.pack('!Q', size))], too_big,
                       target='/small')

    def test_10_automatic_fragmentation(self):
        text = '*' * 65536
        pieces = [text[at:at + 1300] for at in range(0, len(text), 1300)]
        self.check('10.1.1', message(*pieces) + DONE, [('text', text), *CLOSED],
                   ('all', 'frame', 997))

    def test_12_compression_is_not_agreed_to(self):
        from wsproto.extensions import PerMessageDeflate
        offer = PerMessageDeflate()
        peer = self.peer(extensions=[offer])
        self.assertEqual((list(peer.accepted.extensions), offer.enabled()), ([], False))
        peer.send(b''.join(message('plain') + DONE))
        self.assertEqual(peer.rest(), [('text', 'plain'), *CLOSED])
        # And a client that compresses nevertheless.
        peer = self.peer(extensions=[PerMessageDeflate()])
        peer.send(frame(TEXT, b'\xf2\x48\xcd\xc9\xc9\x07\x00', rsv=4))
        self.assertEqual(peer.rest(), BROKEN)

    def test_frames_without_a_mask_and_with_odd_lengths_are_refused(self):
        """RFC 6455, sections 5.1 and 5.2; Autobahn takes them for granted."""
        for opcode, payload in ((TEXT, b'x'), (BINARY, b'x'), (PING, b''), (CLOSE, b'\x03\xe8')):
            self.check('no mask', [frame(opcode, payload, mask=None)], BROKEN)
        for length in (b'\x7e\x00\x01', b'\x7e\x00\x7d', b'\x7f' + struct.pack('!Q', 1),
                       b'\x7f' + struct.pack('!Q', 65535)):
            self.check(f'length {length.hex()}', [frame(BINARY, b'x', length=length)], BROKEN)
        # No length begins with a 1; it is too long in any case.
        for length in (b'\x7f' + struct.pack('!Q', 1 << 63), b'\x7f' + b'\xff' * 8):
            self.check(f'length {length.hex()}', [frame(BINARY, b'x', length=length)],
                       [('close', 1009, '')])

    def test_handshakes_that_are_none_are_refused(self):
        key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
        good = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', key]
        accepted = b'\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n'
        host, port = self.server.address.split(':')

        def answer(headers, line='GET /echo HTTP/1.1'):
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
                head = '\r\n'.join([line, 'Host: ' + self.server.address, *headers])
                connection.sendall(head.encode() + b'\r\n\r\n')
                text = b''
                while b'\r\n\r\n' not in text:
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    text += piece
                return text
        self.assertTrue(answer(good).startswith(b'HTTP/1.1 101 '))
        self.assertIn(accepted, answer(good))
        self.assertIn(b'\r\nServer: lethe\r\n', answer(good))
        self.assertIn(accepted, answer([header.lower() for header in good[:3]] + [key]))
        old = answer([*good[:2], 'Sec-WebSocket-Version: 8', key])
        self.assertTrue(old.startswith(b'HTTP/1.1 426 '), old)
        self.assertIn(b'\r\nSec-WebSocket-Version: 13\r\n', old)
        for headers in ([*good[:3]], [*good[:3], 'Sec-WebSocket-Key: short'], [*good[:2], key]):
            self.assertRegex(answer(headers), b'^HTTP/1.1 4')
        self.assertRegex(answer(good, 'POST /echo HTTP/1.1'), b'^HTTP/1.1 4')
        self.assertRegex(answer(good, 'GET /nothing HTTP/1.1'), b'^HTTP/1.1 404 ')
        with self.assertRaises(Refused):
            Peer(self.server.address, '/nothing')


class RealtimeConformanceTest(SpeechTest):
    """The same rules where they matter: in a call."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        websocket_peer.require_wsproto()
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)

    def begin(self):
        """A call that was let in."""
        peer = Peer(self.service.address, realtime_call.target(self.service.keys))
        self.addCleanup(peer.socket.close)
        self.assertEqual(realtime_call.code_of(peer.next()), 0)
        return peer

    def test_speech_may_come_in_any_fragments_with_pings_between(self):
        audio = realtime_call.samples_of(self.short)
        at = len(audio) // 2
        peer = self.begin()
        for piece in message(*(audio[i:i + 1001] for i in range(0, at, 1001))):
            peer.send(piece + ping(b'still there?'))
        # Byte by byte, in frames of odd sizes.
        peer.send(b''.join(message(audio[i:i + 3333])[0] for i in range(at, at + 9999, 3333)), 1)
        peer.send(message(audio[at + 9999:])[0])
        peer.send(b''.join(message('{"ty', 'pe":', ' "end"}')), 1)
        events = peer.rest()
        self.assertEqual({event for event in events if event[0] == 'pong'},
                         {('pong', b'still there?')})
        self.assertEqual(events[-1], ('close', 1000, ''))
        frames = [event for event in events if event[0] == 'text']
        self.assertIn('"final":1', frames[-1][1])
        self.assert_words(realtime_call.text_of(frames))

    def assert_words(self, text):
        spoken = self.spoken[self.short].split()
        self.assertGreater(len(set(spoken) & set(text.lower().replace(',', '').split())),
                           len(set(spoken)) // 2)

    def test_broken_frames_end_a_call_with_the_code_of_the_protocol(self):
        too_big = frame(BINARY, length=b'\x7f' + struct.pack('!Q', (1 << 20) + 1))
        for name, code, data in (
                ('reserved bit', 1002, frame(BINARY, b'xx', rsv=4)),
                ('opcode', 1002, frame(5, b'xx')),
                ('no mask', 1002, frame(BINARY, b'xx', mask=None)),
                ('continuation of nothing', 1002, frame(CONTINUATION, b'xx')),
                ('fragmented ping', 1002, frame(PING, b'x', fin=False)),
                ('long ping', 1002, frame(PING, b'x' * 126)),
                ('bad close', 1002, frame(CLOSE, b'\x00')),
                ('not UTF-8', 1007, frame(TEXT, b'{"type":"\xff"}')),
                ('too large', 1009, too_big)):
            for piece in (None, 1):
                with self.subTest(name, piece=piece):
                    peer = self.begin()
                    peer.send(message(bytes(640))[0])
                    peer.send(data, piece)
                    self.assertEqual(peer.rest(), [('close', code, '')])

    def test_whoever_closes_is_answered(self):
        for data in (close(1000), close(), close(1001, 'leaving') + ping(b'late')):
            peer = self.begin()
            peer.send(message(bytes(640))[0] + data)
            events = peer.rest()
            self.assertEqual(events[-1][0], 'close')
            self.assertNotIn(('pong', b'late'), events)
        self.assertEqual(self.service.get('/healthz')[0], 200)


if __name__ == '__main__':
    main()
