/** The two tables. Every value is made from the row's number, so that two servers get the same without a copy. */

/** 1% of the rows, in every chunk of every table. */
const few = 'id % 100 = 7'

export const tables = [
  {
    name: 'wide',
    make: rows => [
      `CREATE TABLE wide (
         id bigint, customer integer, quantity integer, name text, email text, note text, status text,
         created_at timestamptz, changed_at timestamptz, price numeric(12, 2), active boolean, token uuid, payload jsonb)`,
      `INSERT INTO wide SELECT i, i % 50021, i % 97, 'Customer number ' || i, md5(i::text) || '@example.org',
         CASE WHEN i % 5 > 0 THEN repeat('some words and ', (i % 4)::int) || i END,
         (ARRAY['new', 'paid', 'sent', 'returned'])[i % 4 + 1],
         timestamptz '2020-01-01 00:00:00+00' + i * interval '37.000123 seconds',
         timestamptz '2024-01-01 00:00:00+00' + i * interval '11.5 seconds',
         (i % 1000003) / 100.0, i % 3 = 0, md5('token' || i)::uuid,
         ('{"number": ' || i || ', "tags": ["a", "b' || i % 7 || '"], "deep": {"on": true, "rate": ' || i % 11 || '.5}}')::jsonb
       FROM generate_series(1, ${rows}) i`,
      'ALTER TABLE wide ADD PRIMARY KEY (id)',
      'CREATE INDEX wide_customer_idx ON wide (customer)'
    ],
    drift: `UPDATE wide SET quantity = quantity + 1, note = 'changed' WHERE ${few}`
  },
  {
    name: 'narrow',
    make: rows => [
      'CREATE TABLE narrow (id bigint, number integer, word text)',
      `INSERT INTO narrow SELECT i, i % 1009, 'word ' || i FROM generate_series(1, ${rows}) i`,
      'ALTER TABLE narrow ADD PRIMARY KEY (id)'
    ],
    drift: `UPDATE narrow SET number = number + 1 WHERE ${few}`
  }
]
