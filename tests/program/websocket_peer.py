"""A WebSocket client that may break every rule, and is strict with whoever answers it.

Legal frames are made by Debian's python3-wsproto, which is not ours; illegal ones, which it refuses
to make, are put together here byte by byte. Whatever the server sends goes through wsproto's
parser: a masked frame, a reserved bit, bad UTF-8 or an impossible close code is an error of the
server.
"""

import contextlib
import os
import socket
import struct
import sys
import unittest

from support import PATIENCE

try:
    import wsproto
except ImportError:
    # Debian's, which another Python than Debian's does not see.
    sys.path.append('/usr/lib/python3/dist-packages')
    try:
        import wsproto
    except ImportError:
        wsproto = None
if wsproto:
    from wsproto.events import AcceptConnection, RejectConnection, Request
    from wsproto.frame_protocol import FrameProtocol, Opcode

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def require_wsproto():
    """Skips the tests of a class where the package is missing; fails where everything must run."""
    if wsproto:
        return
    if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
        raise AssertionError('python3-wsproto is not installed')
    raise unittest.SkipTest('python3-wsproto is not installed')


def frame(opcode, payload=b'', fin=True, rsv=0, mask=b'\x37\xfa\x21\x3d', length=None):
    """A client's frame, legal or not (RFC 6455, section 5.2). A mask of None leaves it unmasked;
    `length` is a length field (7 bits and what follows) other than the payload's own."""
    if length is None:
        if len(payload) < 126:
            length = bytes([len(payload)])
        elif len(payload) < 65536:
            length = b'\x7e' + struct.pack('!H', len(payload))
        else:
            length = b'\x7f' + struct.pack('!Q', len(payload))
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    if mask is None:
        return bytes([first]) + length + payload
    repeated = mask * (len(payload) // 4 + 1)
    masked = bytes(byte ^ key for byte, key in zip(payload, repeated))
    return bytes([first, length[0] | 0x80]) + length[1:] + mask + masked


def message(*pieces):
    """The frames of one message, text or bytes, as wsproto makes them: a fragment each piece."""
    maker = FrameProtocol(True, [])
    return [maker.send_data(piece, i + 1 == len(pieces)) for i, piece in enumerate(pieces)]


def ping(payload=b''):
    return FrameProtocol(True, []).ping(payload)


def pong(payload=b''):
    return FrameProtocol(True, []).pong(payload)


def close(code=None, reason=None):
    return FrameProtocol(True, []).close(code, reason)


class Refused(Exception):
    """The handshake was answered with another status than 101."""


class Peer:
    """One connection. `target` may hold anything if it is bytes. What came is a list of
    ('text', str), ('ping', bytes), ('pong', bytes), ('close', code, reason) and, for a connection
    that was cut, ('reset',)."""

    def __init__(self, address, target, extensions=(), headers=()):
        host, port = address.split(':')
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handshake = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        # wsproto sends no request line that is not ASCII: its place is taken, then it is put in.
        place = target if isinstance(target, str) else '/target'
        request = handshake.send(Request(
            host=address, target=place, extensions=list(extensions),
            extra_headers=[(name.encode(), value.encode()) for name, value in headers]))
        if isinstance(target, bytes):
            request = request.replace(place.encode(), target, 1)
        self.socket.sendall(request)
        head, rest = self._read_head()
        handshake.receive_data(head)
        for event in handshake.events():
            if isinstance(event, RejectConnection):
                self.socket.close()
                raise Refused(event.status_code)
            if isinstance(event, AcceptConnection):
                self.accepted = event
        self.judge = FrameProtocol(True, [])
        self.judge.receive_bytes(rest)
        self.text, self.closed = '', False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _read_head(self):
        data = b''
        while b'\r\n\r\n' not in data:
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f'no answer to the handshake: {data}')
            data += piece
        head, _, rest = data.partition(b'\r\n\r\n')
        return head + b'\r\n\r\n', rest

    def send(self, data, piece=None):
        """Sends in writes of `piece` bytes, or at once. A server that has hung up is no error: what
        it said before is what counts."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for at in range(0, len(data), piece or max(1, len(data))):
                self.socket.sendall(data[at:at + (piece or len(data))])

    def _waiting(self):
        for part in self.judge.received_frames():
            if part.opcode is Opcode.TEXT:
                self.text += part.payload
                if part.message_finished:
                    text, self.text = self.text, ''
                    yield ('text', text)
            elif part.opcode is Opcode.PING:
                yield ('ping', bytes(part.payload))
            elif part.opcode is Opcode.PONG:
                yield ('pong', bytes(part.payload))
            elif part.opcode is Opcode.CLOSE:
                self.closed = True
                yield ('close', int(part.payload[0]), part.payload[1])
            else:
                yield ('binary', bytes(part.payload))

    def events(self):
        """What comes, until the server closes the connection. Its closing handshake is answered."""
        while True:
            for event in self._waiting():
                yield event
                if self.closed:
                    self.send(close(event[1] if event[1] != 1005 else None))
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                yield ('reset',)
                return
            if not data:
                return
            if self.closed:
                raise AssertionError(f'bytes behind a close frame: {data[:40]}')
            self.judge.receive_bytes(data)

    def next(self):
        """The next of what comes."""
        return next(self.events())

    def rest(self):
        """All that comes until the connection is over."""
        return list(self.events())
