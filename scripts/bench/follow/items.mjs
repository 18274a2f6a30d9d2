/** The table whose changes are followed, and how it grows. */

export const table = `CREATE TABLE items (id bigserial PRIMARY KEY, customer integer NOT NULL, state text NOT NULL, price numeric(12,2),
  note text, at timestamptz NOT NULL DEFAULT now(), flags boolean NOT NULL DEFAULT false, weight double precision)`

/** So many rows in transactions of ten. */
export const insert = count => `DO $$ BEGIN FOR i IN 1..${Math.ceil(count / 10)} LOOP
  INSERT INTO items (customer, state, price, note, weight)
  SELECT i, 'open', i * 1.25, md5(i::text), g / 3.0 FROM generate_series(1, 10) g; COMMIT; END LOOP; END $$`
