"""A client that speaks PostgreSQL's protocol message by message, and reads only when it is told to.

    client = WireClient(server)
    client.query('SELECT 1')
    for kind, body in client.messages():  # up to ReadyForQuery
        ...
"""

import socket
import struct

RECEIVE_TIMEOUT_S = 120


class WireClient:
    def __init__(self, server):
        self.socket = socket.create_connection((server.host, server.port))
        self.socket.settimeout(RECEIVE_TIMEOUT_S)
        names = ['user', server.user, 'database', server.database, '']
        body = struct.pack('!i', 3 << 16) + b''.join(name.encode() + b'\0' for name in names)
        self.socket.sendall(struct.pack('!i', len(body) + 4) + body)
        self.pid = next(struct.unpack('!i', body[:4])[0] for kind, body in list(self.messages())
                        if kind == 'K')

    def close(self):
        self.socket.close()

    def send(self, kind, body=b''):
        self.socket.sendall(kind.encode() + struct.pack('!i', len(body) + 4) + body)

    def query(self, sql):
        self.send('Q', sql.encode() + b'\0')

    def execute(self, sql):
        """By the extended protocol, without parameters."""
        self.send('P', b'\0' + sql.encode() + b'\0\0\0')
        self.send('B', b'\0\0\0\0\0\0\0\0')
        self.send('E', b'\0\0\0\0\0')
        self.send('S')

    def message(self):
        kind, size = struct.unpack('!ci', self.receive(5))
        return kind.decode(), self.receive(size - 4)

    def messages(self):
        """Up to and including ReadyForQuery."""
        kind = ''
        while kind != 'Z':
            kind, body = self.message()
            yield kind, body

    def receive(self, size):
        received = bytearray()
        while len(received) < size:
            more = self.socket.recv(size - len(received))
            if not more:
                raise ConnectionError('the server closed the connection')
            received += more
        return bytes(received)


def fields(body):
    """Of an ErrorResponse or NoticeResponse: {'S': 'INFO', 'M': 'text', ...}"""
    return {field[:1].decode(): field[1:].decode() for field in body.split(b'\0') if field}
