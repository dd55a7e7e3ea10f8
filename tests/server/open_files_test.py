#!/usr/bin/env python3
"""A server that was started with a low limit of open files has as many as the hard one allows:
each segment and each index run is a file that stays open, and each connection takes one too."""

import contextlib
import os
import resource
import unittest

from omendb_server import OmenServer

SOFT = 60
CONNECTIONS = 80


class OpenFilesTest(unittest.TestCase):

    def test_a_low_soft_limit_is_raised(self):
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertGreater(before[1], 2 * CONNECTIONS, 'the hard limit is too low for this test')
        resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT, before[1]))
        try:
            server = OmenServer()
            self.addCleanup(server.close)
            server.start()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        with contextlib.ExitStack() as stack:
            for _ in range(CONNECTIONS):
                stack.callback(server.connect(connect_timeout=10).close)
            self.assertGreater(len(os.listdir(f'/proc/{server.process.pid}/fd')), CONNECTIONS)


if __name__ == '__main__':
    unittest.main()
