"""pg_stat_activity: who sees what of whom, and texts that are cut."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'lib'))
from system_test import SystemTest  # noqa: E402


class ActivityTest(SystemTest):
    def connect(self, user=None):
        connection = self.server.connect(**({'user': user} if user else {}))
        connection.autocommit = True
        self.addCleanup(connection.close)
        return connection.cursor()

    def seen(self, cursor, pid):
        cursor.execute('SELECT * FROM pg_stat_activity WHERE pid = %s', (pid,))
        row, = cursor.fetchall()
        return {column.name: value for column, value in zip(cursor.description, row)
                if value is not None}

    def test_others_see_neither_the_text_nor_what_the_session_does(self):
        owner = self.connect()
        for sql in ('CREATE ROLE act_one LOGIN', 'CREATE ROLE act_two LOGIN',
                    'CREATE ROLE act_member LOGIN', 'GRANT act_one TO act_member'):
            owner.execute(sql)
        watched = self.connect('act_one')
        watched.execute("SELECT 'secret'")
        pid = watched.connection.info.backend_pid
        hidden = self.seen(self.connect('act_two'), pid)
        self.assertEqual('<insufficient privilege>', hidden.pop('query'))
        self.assertEqual({'datid', 'datname', 'pid', 'usesysid', 'usename', 'application_name'},
                         set(hidden))
        for reader in (owner, self.connect('act_one'), self.connect('act_member')):
            self.assertEqual(("SELECT 'secret'", 'idle', 'client backend'), tuple(
                self.seen(reader, pid)[name] for name in ('query', 'state', 'backend_type')))
        self.assertIn('pg_stat_activity', self.seen(watched, pid)['query'])

    def test_a_long_text_is_cut_between_characters(self):
        watched, reader = self.connect(), self.connect()
        for start in ("SELECT '", "SELECT 'a"):
            sql = start + 'é' * 600 + "'"
            watched.execute(sql)
            shown = self.seen(reader, watched.connection.info.backend_pid)['query']
            self.assertEqual(sql.encode()[:1024].decode(errors='ignore'), shown)


if __name__ == '__main__':
    unittest.main()
