#!/usr/bin/python3
"""README's session, word for word: what a reader pastes first must work."""

import os
import re
import subprocess
import unittest

from omendb_server import ROOT, psql, target_is_postgres
from system_test import SystemTest


def readme_blocks(language):
    """The fenced blocks of README with exactly this info string."""
    with open(os.path.join(ROOT, 'README.md'), encoding='utf-8') as file:
        fences = re.findall(r'^```(\w*)\n(.*?)^```$', file.read(), re.S | re.M)
    return [text for name, text in fences if name == language]


class ReadmeTest(SystemTest):

    def test_the_session(self):
        if not target_is_postgres():  # README's psql line connects as omendb to omendb.
            self.server.user = self.server.database = 'omendb'
        (script,) = readme_blocks('sql')
        done = psql(self.server, script, '-A', '-t', check=False)
        self.assertEqual('', done.stderr)
        self.assertEqual(['login|2', 'purchase|1'], done.stdout.splitlines()[:2])
        self.assertEqual('3|1|refund', psql(
            self.server, 'SELECT id, user_id, event_type FROM events WHERE id = 3;', '-A',
            '-t').stdout.strip())

        if not target_is_postgres():  # HTTP is ours
            self.check_the_request_without_a_driver()

    def check_the_request_without_a_driver(self):
        (block,) = [b for b in readme_blocks('') if 'curl' in b]
        command = block.replace('8080', str(self.server.http_port)).replace('curl', 'curl -f')
        done = subprocess.run(['bash', '-c', command], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('3', done.stdout)


if __name__ == '__main__':
    unittest.main()
