#!/usr/bin/python3
"""Every statement of tests/oracle/*.sql on OmenDB and on PostgreSQL 15: rows, column names, command
tags, notices, SQLSTATEs and messages must be the same.

Differences that are left stand in known_differences.txt, one line each: `file:number what`, where
number counts the statements of the file and what is what differs (rows, columns, types, tag,
notices, sqlstate, message, detail, position). That list may only shrink: a difference that is
not in it fails, and so does a line whose difference is gone. `oracle_test.py --update` rewrites it.

A script is cut at lines that end in a semicolon. Column types are compared by Oid where
`-- types` stands in the line before the statement.
"""

import glob
import os
import sys

import psycopg2

from omendb_server import OmenServer, PostgresServer

FOLDER = os.path.dirname(os.path.abspath(__file__))
KNOWN = os.path.join(FOLDER, 'known_differences.txt')
MAX_SHOWN = 40
TYPES = '-- types'


def statements(path):
    with open(path, encoding='utf-8') as file:
        lines = file.read().split('\n')
    text = ''
    for line in lines:
        if not text and line.strip() != TYPES and (
                not line.strip() or line.lstrip().startswith('--')):
            continue
        text += line + '\n'
        if line.rstrip().endswith(';'):
            yield text.strip()
            text = ''


def run(cursor, sql):
    """What a client sees of one statement."""
    connection = cursor.connection
    del connection.notices[:]
    seen = {}
    try:
        cursor.execute(sql)
        if cursor.description is not None:
            seen['columns'] = [column.name for column in cursor.description]
            seen['rows'] = cursor.fetchall()
            if sql.startswith(TYPES):
                seen['types'] = [column.type_code for column in cursor.description]
        seen['tag'] = cursor.statusmessage
    except psycopg2.Error as error:
        seen['sqlstate'] = error.pgcode
        seen['message'] = error.diag.message_primary
        seen['detail'] = error.diag.message_detail
        seen['position'] = error.diag.statement_position
    seen['notices'] = [notice.split('\n')[0] for notice in connection.notices]
    return seen


def textual(connection):
    """Values as the server sent them."""
    oids = set(range(1, 4100))
    psycopg2.extensions.register_type(
        psycopg2.extensions.new_type(tuple(oids), 'TEXT', lambda value, cursor: value), connection)


def compare(path, omendb, postgres):
    """Yields (number, sql, what, ours, theirs)."""
    cursors = []
    for server, name in ((omendb, 'omendb'), (postgres, 'postgres')):
        connection = server.connect()
        connection.autocommit = True
        textual(connection)
        cursors.append(connection.cursor())
    for number, sql in enumerate(statements(path), 1):
        try:
            ours = run(cursors[0], sql)
        except psycopg2.InterfaceError as error:
            ours = {'sqlstate': 'connection lost', 'message': str(error)}
        theirs = run(cursors[1], sql)
        for what in ('sqlstate', 'message', 'detail', 'position', 'columns', 'types', 'rows', 'tag',
                     'notices'):
            if ours.get(what) != theirs.get(what):
                yield number, sql, what, ours.get(what), theirs.get(what)
        if cursors[0].connection.closed:
            connection = omendb.connect()
            connection.autocommit = True
            textual(connection)
            cursors[0] = connection.cursor()
    for cursor in cursors:
        cursor.connection.close()


def known_differences():
    if not os.path.exists(KNOWN):
        return set()
    with open(KNOWN, encoding='utf-8') as file:
        return {line.strip() for line in file if line.strip() and not line.startswith('#')}


def main():
    only = [argument for argument in sys.argv[1:] if not argument.startswith('--')]
    known = known_differences()
    found = []
    details = {}
    total = 0
    with OmenServer() as omendb, PostgresServer('-c', 'timezone=UTC') as postgres:
        for path in sorted(glob.glob(os.path.join(FOLDER, '*.sql'))):
            name = os.path.basename(path)
            if only and name not in only:
                continue
            total += sum(1 for _ in statements(path))
            for number, sql, what, ours, theirs in compare(path, omendb, postgres):
                key = f'{name}:{number} {what}'
                found.append(key)
                details[key] = f'{key}\n  {sql[:200]}\n  omendb:   {str(ours)[:300]}\n' \
                               f'  postgres: {str(theirs)[:300]}'
    if '--update' in sys.argv:
        with open(KNOWN, 'w', encoding='utf-8') as file:
            file.write('# Where OmenDB differs from PostgreSQL 15. May only shrink: see '
                       'oracle_test.py.\n')
            file.writelines(key + '\n' for key in found)
    new = [key for key in found if key not in known]
    gone = sorted(known - set(found)) if not only else []
    shown = found if '--all' in sys.argv else new
    for key in shown[:None if '--all' in sys.argv else MAX_SHOWN]:
        print(details[key])
    for key in gone:
        print(f'{key}: no longer differs; remove the line')
    print(f'{total} statements, {len(found)} differences, {len(new)} new, {len(gone)} gone')
    return 1 if (new or gone) and '--update' not in sys.argv else 0


if __name__ == '__main__':
    sys.exit(main())
