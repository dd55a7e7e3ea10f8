"""TLS, SCRAM-SHA-256 and the Unix socket with psql, psycopg2 and HTTP."""

import base64
import json
import os
import socket
import struct
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
import psycopg2  # noqa: E402
from omendb_server import OmenServer, psql  # noqa: E402


def make_certificate(folder):
    cert, key = os.path.join(folder, 'server.crt'), os.path.join(folder, 'server.key')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
                    '-subj', '/CN=localhost', '-addext',
                    'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', key, '-out', cert],
                   check=True, stderr=subprocess.DEVNULL)
    return cert, key


class SecureServer(OmenServer):
    """Asks for passwords; answers a probe that gives none with an error, which is an answer."""

    def __init__(self):
        super().__init__()
        self.certificate, key = make_certificate(self.folder)
        self.options = ['--auth', 'scram', '--tls-cert', self.certificate, '--tls-key', key,
                        '-c', f'unix_socket_directories={self.folder}']

    def answers(self):
        try:
            self.connect(connect_timeout=5, sslmode='disable').close()
            return True
        except psycopg2.OperationalError as error:
            return 'password' in str(error)


class SecurityTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = SecureServer()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        # The first password comes from the machine's own user, through the Unix socket.
        with cls.server.connect(host=cls.server.folder) as connection:
            cursor = connection.cursor()
            cursor.execute("ALTER ROLE postgres PASSWORD 's3cret'")
            cursor.execute("CREATE ROLE reader LOGIN PASSWORD 'p%ss wörd'")
        connection.close()

    def connect(self, **options):
        return self.server.connect(**{'password': 's3cret', **options})

    def test_right_password_over_tls(self):
        connection = self.connect(sslmode='verify-full', sslrootcert=self.server.certificate)
        self.assertTrue(connection.info.ssl_in_use)
        self.assertIn(connection.info.ssl_attribute('protocol'), ('TLSv1.2', 'TLSv1.3'))
        cursor = connection.cursor()
        cursor.execute("SELECT current_user, repeat('x', 300000)")
        user, text = cursor.fetchone()
        self.assertEqual(('postgres', 300000), (user, len(text)))
        connection.close()

    def test_right_password_in_plain(self):
        connection = self.connect(sslmode='disable')
        self.assertFalse(connection.info.ssl_in_use)
        connection.close()

    def test_password_outside_ascii(self):
        connection = self.connect(user='reader', password='p%ss wörd')
        connection.close()

    def test_wrong_password_unknown_role_and_none(self):
        for options in (dict(password='wrong'), dict(user='nobody'), dict(password='')):
            with self.assertRaises(psycopg2.OperationalError) as caught:
                self.connect(**options)
            if options != dict(password=''):
                user = options.get('user', 'postgres')
                self.assertIn(f'password authentication failed for user "{user}"',
                              str(caught.exception))

    def test_psql_over_tls(self):
        env = self.server.environment()
        env.update(PGPASSWORD='s3cret', PGSSLMODE='require')
        out = subprocess.run(['psql', '-X', '-c', '\\conninfo', '-c', 'SELECT 1'], env=env,
                             text=True, check=True, stdout=subprocess.PIPE).stdout
        self.assertIn('SSL connection (protocol: TLSv1.', out)

    def test_verifiers_are_stored_and_not_passwords(self):
        connection = self.connect()
        cursor = connection.cursor()
        cursor.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'reader'")
        self.assertRegex(cursor.fetchone()[0], r'^SCRAM-SHA-256\$4096:')
        connection.close()
        for folder, _, files in os.walk(self.server.data_dir):
            for name in files:
                with open(os.path.join(folder, name), 'rb') as file:
                    self.assertNotIn('p%ss wörd'.encode(), file.read())

    def test_changed_password(self):
        connection = self.connect()
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("CREATE ROLE changing LOGIN PASSWORD 'one'")
        self.connect(user='changing', password='one').close()
        cursor.execute("ALTER ROLE changing PASSWORD 'two'")
        self.connect(user='changing', password='two').close()
        with self.assertRaises(psycopg2.OperationalError):
            self.connect(user='changing', password='one')
        connection.close()

    def query(self, user, password):
        token = base64.b64encode(f'{user}:{password}'.encode()).decode()
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.server.http_port}/query',
            data=json.dumps({'sql': 'SELECT current_user AS u'}).encode(),
            headers={'Authorization': f'Basic {token}', 'Content-Type': 'application/json'})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def test_http_asks_for_the_same_password(self):
        self.assertIn('postgres', json.dumps(self.query('postgres', 's3cret')))
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.query('postgres', 'wrong')
        self.assertEqual(401, caught.exception.code)
        self.assertEqual('28P01', json.load(caught.exception)['error']['sqlstate'])

    def test_garbage_instead_of_a_tls_handshake(self):
        for _ in range(5):
            with socket.create_connection(('127.0.0.1', self.server.port)) as raw:
                raw.sendall(struct.pack('!ii', 8, 80877103))
                self.assertEqual(b'S', raw.recv(1))
                raw.sendall(os.urandom(500))
                raw.settimeout(10)
                while raw.recv(4096):
                    pass
        self.connect(sslmode='require').close()


if __name__ == '__main__':
    unittest.main()
