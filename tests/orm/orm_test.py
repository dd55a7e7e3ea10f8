#!/usr/bin/python3
"""orm_test.py SCRIPT: a program that uses an object-relational mapper prints the same on OmenDB and
on PostgreSQL 15. It finds the server by libpq's variables and prints a line for each thing that it
tries.
"""

import difflib
import os
import subprocess
import sys
import unittest

from omendb_server import OmenServer, PostgresServer

SCRIPT = os.path.abspath(sys.argv.pop())


def printed(server_class):
    with server_class() as server:
        done = subprocess.run([sys.executable, SCRIPT], env=server.environment(), check=False,
                              cwd=os.path.dirname(SCRIPT), capture_output=True, text=True)
        return done.stdout.splitlines(), done.returncode, done.stderr


class OrmTest(unittest.TestCase):

    def test_prints_the_same(self):
        ours, code, errors = printed(OmenServer)
        theirs, _, _ = printed(PostgresServer)
        self.assertEqual(0, code, errors)
        self.assertGreater(len(theirs), 30)
        self.assertEqual([], list(difflib.unified_diff(theirs, ours, 'postgres', 'omendb', n=0,
                                                       lineterm='')))


if __name__ == '__main__':
    unittest.main()
