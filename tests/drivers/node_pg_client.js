// node-postgres: text and binary results, prepared statements, transactions, errors.
// Run by client_test.py.
'use strict';

const assert = require('assert');
const path = require('path');
const modules = path.join(__dirname, '..', '..', 'third_party', 'npm', 'node_modules');
const { Client, Pool } = require(path.join(modules, 'pg'));

const checks = {
  async connects(client) {
    const { rows } = await client.query('SELECT 1 AS one, current_user AS me');
    assert.deepStrictEqual(rows, [{ one: 1, me: process.env.PGUSER }]);
  },

  async parametersOfManyTypes(client) {
    const when = new Date('2024-02-29T12:30:00.123Z');
    const { rows } = await client.query(
      'SELECT $1::int AS i, $2::bigint AS b, $3::numeric AS n, $4::text AS t, ' +
      '$5::boolean AS o, $6::timestamptz AS z, $7::jsonb AS j, ' +
      '$8::int[] AS a, $9::bytea AS y, $10::float8 AS f',
      [42, '9007199254740993', '1.50000000000000000', "it's ü", true, when, { k: [1, 2] },
        [1, null, 3], Buffer.from([0, 255]), 0.1]);
    assert.deepStrictEqual(rows[0], {
      i: 42, b: '9007199254740993', n: '1.50000000000000000', t: "it's ü", o: true, z: when,
      j: { k: [1, 2] }, a: [1, null, 3], y: Buffer.from([0, 255]), f: 0.1,
    });
  },

  async binaryResults(client) {
    const { rows } = await client.query({
      text: "SELECT 7::int AS i, 2.5::float8 AS f, true AS b, 'x'::text AS t, NULL::int AS n",
      binary: true,
    });
    assert.deepStrictEqual(rows, [{ i: 7, f: 2.5, b: true, t: 'x', n: null }]);
  },

  async preparedStatements(client) {
    await client.query('CREATE TABLE named (k int PRIMARY KEY, v text)');
    for (let k = 0; k < 50; k++) {
      const insert = {
        name: 'ins', text: 'INSERT INTO named VALUES ($1, $2)', values: [k, `v${k}`],
      };
      assert.strictEqual((await client.query(insert)).rowCount, 1);
    }
    const find = { name: 'find', text: 'SELECT v FROM named WHERE k = $1', values: [31] };
    assert.deepStrictEqual((await client.query(find)).rows, [{ v: 'v31' }]);
  },

  async transactions(client) {
    await client.query('CREATE TABLE tx (a int)');
    await client.query('BEGIN');
    await client.query('INSERT INTO tx VALUES (1)');
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    await client.query('INSERT INTO tx VALUES (2)');
    await client.query('COMMIT');
    assert.deepStrictEqual((await client.query('SELECT a FROM tx')).rows, [{ a: 2 }]);
  },

  async errors(client) {
    const cases = [
      ['SELECT 1 / 0', '22012'], ['SELEC', '42601'], ['SELECT * FROM nowhere', '42P01'],
      ["SELECT 'x'::int", '22P02'],
    ];
    for (const [sql, code] of cases) {
      await assert.rejects(client.query(sql), (e) => e.code === code, sql);
    }
    await client.query('CREATE TABLE uniq (a int CONSTRAINT only_once UNIQUE)');
    await client.query('INSERT INTO uniq VALUES (1)');
    await assert.rejects(client.query('INSERT INTO uniq VALUES ($1)', [1]), (e) =>
      e.code === '23505' && e.constraint === 'only_once' && e.table === 'uniq' &&
      e.detail === 'Key (a)=(1) already exists.');
  },

  async severalStatementsAtOnce(client) {
    const results = await client.query('SELECT 1 AS a; SELECT 2 AS b, 3 AS c');
    assert.deepStrictEqual(results.map((r) => r.rows), [[{ a: 1 }], [{ b: 2, c: 3 }]]);
  },

  async poolsOfConnections() {
    const pool = new Pool({ max: 8 });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => pool.query('SELECT $1::int * 2 AS d', [i])));
    assert.deepStrictEqual(answers.map((r) => r.rows[0].d),
      Array.from({ length: 100 }, (_, i) => 2 * i));
    await pool.end();
  },
};

async function main() {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    const client = new Client();
    await client.connect();
    try {
      await check(client);
      console.log(`ok ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED ${name}:`, error);
    } finally {
      await client.end();
    }
  }
  process.exit(failed ? 1 : 0);
}

main();
