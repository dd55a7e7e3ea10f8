#!/usr/bin/python3
"""Drivers of other languages: runs one client program against a fresh server.

    client_test.py COMMAND...    the program finds the server in libpq's environment variables,
                                 prints what fails, and exits 0 if nothing did
"""

import subprocess
import sys

from omendb_server import server_under_test


def main():
    with server_under_test() as server:
        done = subprocess.run(sys.argv[1:], env=server.environment(), check=False, timeout=240)
        if done.returncode != 0:
            raise SystemExit(f'{sys.argv[1:]} ended with {done.returncode}')


if __name__ == '__main__':
    main()
