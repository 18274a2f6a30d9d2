-- case: widened
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer, b varchar(10), c numeric(5, 2), d real, e char(3), f time);
-- main
ALTER TABLE t ALTER id TYPE bigint, ALTER a TYPE numeric, ALTER b TYPE varchar(20), ALTER c TYPE numeric(10, 4), ALTER d TYPE double precision, ALTER e TYPE text, ALTER f TYPE timetz;
-- standby
INSERT INTO t VALUES (1, 2, 'x', 1.25, 1.5, 'abc', '12:00');
-- keeps
SELECT id, a, b, c, d, e FROM t; --> (1,2,x,1.2500,1.5,abc)

-- case: narrowed, with rows that fit
-- both
CREATE TABLE t (id bigint PRIMARY KEY, a numeric, b text, c timestamp);
-- main
ALTER TABLE t ALTER id TYPE integer, ALTER a TYPE integer, ALTER b TYPE varchar(5), ALTER c TYPE date;
-- standby
INSERT INTO t VALUES (1, 2, 'abcde', '2020-01-01');
-- keeps
SELECT * FROM t;--> (1,2,abcde,2020-01-01)

-- case: text to integer, uuid, date, boolean, jsonb, with rows that can be read so
-- both
CREATE TABLE t (id text PRIMARY KEY, a text, b text, c text, d text, e text);
-- main
ALTER TABLE t ALTER id TYPE integer USING id::integer, ALTER a TYPE uuid USING a::uuid, ALTER b TYPE date USING b::date, ALTER c TYPE boolean USING c::boolean, ALTER d TYPE jsonb USING d::jsonb, ALTER e TYPE integer[] USING e::integer[];
-- standby
INSERT INTO t VALUES ('7', '00000000-0000-0000-0000-000000000001', '2020-02-03', 'yes', '{"a": 1}', '{1,2}');
-- keeps
SELECT id, a, b, c, d ->> 'a' AS d, e FROM t; --> (7,00000000-0000-0000-0000-000000000001,2020-02-03,t,1,"{1,2}")

-- case: narrowed, with values that the type cannot take
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b text DEFAULT 'x', c bigint, d numeric, e text[], f date, g text);
CREATE TABLE p (id integer NOT NULL, v text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);
CREATE INDEX t_a ON t (a) WHERE a IS NOT NULL;
-- main
ALTER TABLE t ALTER b DROP DEFAULT, ALTER a TYPE integer USING 1, ALTER b TYPE uuid USING NULL, ALTER c TYPE integer,
  ALTER d TYPE numeric(4, 2), ALTER e TYPE integer[] USING NULL, ALTER f TYPE integer USING 1, ALTER g TYPE jsonb USING NULL;
ALTER TABLE p ALTER v TYPE boolean USING NULL;
-- standby
INSERT INTO t VALUES (1, 'x1', 'b', 99999999999, 12345, '{x}', '2020-01-01', '{');
INSERT INTO p VALUES (1, 'yes'), (11, 'perhaps');
-- keeps
SELECT id FROM t;
SELECT id FROM p;

-- case: integer and others to text
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer, b date, c boolean, d uuid, e inet);
-- main
ALTER TABLE t ALTER id TYPE text, ALTER a TYPE text, ALTER b TYPE text, ALTER c TYPE text, ALTER d TYPE varchar(40), ALTER e TYPE text;
-- standby
INSERT INTO t VALUES (7, 8, '2020-02-03', true, '00000000-0000-0000-0000-000000000001', '10.0.0.1');
-- keeps
SELECT id, a, b, c, d FROM t; --> (7,8,2020-02-03,true,00000000-0000-0000-0000-000000000001)

-- case: without any cast between the two, and no rows
-- both
CREATE TABLE t (id integer PRIMARY KEY, a point, b boolean);
-- main
ALTER TABLE t DROP a, DROP b;
ALTER TABLE t ADD a date, ADD b timestamptz;

-- case: integer to boolean and back
-- both
CREATE TABLE t (id integer PRIMARY KEY, a integer, b boolean);
-- main
ALTER TABLE t ALTER a TYPE boolean USING a::boolean, ALTER b TYPE integer USING b::integer;
-- standby
INSERT INTO t VALUES (1, 1, true), (2, 0, false);
-- keeps
SELECT * FROM t ORDER BY id; --> (1,t,1) (2,f,0)

-- case: with a default of the old type
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text DEFAULT '1', b integer DEFAULT 5);
-- main
ALTER TABLE t ALTER a DROP DEFAULT, ALTER a TYPE integer USING a::integer, ALTER a SET DEFAULT 1;
ALTER TABLE t ALTER b TYPE text, ALTER b SET DEFAULT 'five';
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT * FROM t; --> (1,1,5)

-- case: text to an enum with a default
-- both
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (id integer PRIMARY KEY, a text DEFAULT 'ok', b mood DEFAULT 'ok');
-- main
ALTER TABLE t ALTER a DROP DEFAULT, ALTER a TYPE mood USING a::mood, ALTER a SET DEFAULT 'ok';
ALTER TABLE t ALTER b TYPE text, ALTER b SET DEFAULT 'ok';
-- standby
INSERT INTO t VALUES (1, 'sad', 'happy'), (2, DEFAULT, DEFAULT);
-- keeps
SELECT * FROM t ORDER BY id; --> (1,sad,happy) (2,ok,ok)

-- case: to an enum that only main has, from one that only the standby has
-- main
CREATE TYPE new_mood AS ENUM ('ok', 'happy');
CREATE TABLE t (id integer PRIMARY KEY, a new_mood DEFAULT 'ok'::new_mood NOT NULL);
-- standby
CREATE TYPE old_mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (id integer PRIMARY KEY, a old_mood DEFAULT 'ok'::old_mood NOT NULL);
INSERT INTO t VALUES (1, 'happy'), (2, 'ok');
-- keeps
SELECT * FROM t ORDER BY id;

-- case: to a domain and from one
-- both
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE t (id integer PRIMARY KEY, a integer, b positive);
-- main
ALTER TABLE t ALTER a TYPE positive, ALTER b TYPE integer;
-- standby
INSERT INTO t VALUES (1, 2, 3);
-- keeps
SELECT * FROM t;

-- case: scalar to array and array of another element
-- both
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer[]);
-- main
ALTER TABLE t ALTER a TYPE text[] USING a::text[], ALTER b TYPE bigint[];
-- standby
INSERT INTO t VALUES (1, '{x,y}', '{1,2}');
-- keeps
SELECT * FROM t; --> (1,"{x,y}","{1,2}")

-- case: under an index, an expression index, a partial index, INCLUDE and an operator class
-- main
CREATE TABLE t (id integer PRIMARY KEY, a varchar(50), b bigint);
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (lower(a));
CREATE INDEX i3 ON t (id) WHERE a <> '';
CREATE INDEX i4 ON t (id) INCLUDE (b);
CREATE INDEX i5 ON t (a varchar_pattern_ops, b DESC);
CREATE UNIQUE INDEX i6 ON t ((b % 1000), id);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE INDEX i1 ON t (a);
CREATE INDEX i2 ON t (lower(a));
CREATE INDEX i3 ON t (id) WHERE a <> '';
CREATE INDEX i4 ON t (id) INCLUDE (b);
CREATE INDEX i5 ON t (a text_pattern_ops, b DESC);
CREATE UNIQUE INDEX i6 ON t ((b % 1000), id);
INSERT INTO t VALUES (1, 'X', 5), (2, 'y', 6);
-- keeps
SELECT * FROM t ORDER BY id;

-- case: under views of views, with grants, comments and column names
-- main
CREATE TABLE t (id integer PRIMARY KEY, a bigint);
CREATE VIEW v (one, two) AS SELECT id, a FROM t;
CREATE VIEW w AS SELECT two FROM v WHERE one > 0;
CREATE VIEW x AS SELECT two FROM w UNION ALL SELECT a FROM t;
GRANT SELECT ON w TO corpus_alice; GRANT SELECT (two) ON v TO corpus_bob;
COMMENT ON VIEW x IS 'last'; COMMENT ON COLUMN v.two IS 'second';
ALTER VIEW x OWNER TO corpus_carol;
GRANT SELECT ON t, w TO corpus_carol;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer);
CREATE VIEW v (one, two) AS SELECT id, a FROM t;
CREATE VIEW w AS SELECT two FROM v WHERE one > 0;
CREATE VIEW x AS SELECT two FROM w UNION ALL SELECT a FROM t;
GRANT SELECT ON w TO corpus_alice; GRANT SELECT (two) ON v TO corpus_bob;
COMMENT ON VIEW x IS 'last'; COMMENT ON COLUMN v.two IS 'second';
ALTER VIEW x OWNER TO corpus_carol;
GRANT SELECT ON t, w TO corpus_carol;
INSERT INTO t VALUES (1, 10), (2, 20);
-- keeps
SELECT * FROM x ORDER BY two;

-- case: under a materialized view with indexes
-- main
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE MATERIALIZED VIEW m AS SELECT a, count(*) AS n FROM t GROUP BY a;
CREATE UNIQUE INDEX m_a ON m (a);
COMMENT ON INDEX m_a IS 'one';
CREATE VIEW over_m AS SELECT a FROM m;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer);
CREATE MATERIALIZED VIEW m AS SELECT a, count(*) AS n FROM t GROUP BY a;
CREATE UNIQUE INDEX m_a ON m (a);
COMMENT ON INDEX m_a IS 'one';
CREATE VIEW over_m AS SELECT a FROM m;
INSERT INTO t VALUES (1, 10), (2, 10);
-- keeps
SELECT * FROM t ORDER BY id;
SELECT * FROM m; --> (10,2)

-- case: under a generated column
-- main
CREATE TABLE t (id integer PRIMARY KEY, a bigint, g bigint GENERATED ALWAYS AS (a * 2) STORED);
CREATE INDEX t_g ON t (g);
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer, g integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE INDEX t_g ON t (g);
INSERT INTO t VALUES (1, 10);
-- keeps
SELECT * FROM t;

-- case: both sides of a foreign key
-- main
CREATE TABLE t (id bigint PRIMARY KEY);
CREATE TABLE u (id bigint PRIMARY KEY, t bigint REFERENCES t ON UPDATE CASCADE);
CREATE TABLE w (t bigint REFERENCES t, u bigint CONSTRAINT to_u REFERENCES u DEFERRABLE);
-- standby
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TABLE u (id integer PRIMARY KEY, t integer REFERENCES t ON UPDATE CASCADE);
CREATE TABLE w (t integer REFERENCES t, u integer CONSTRAINT to_u REFERENCES u DEFERRABLE);
INSERT INTO t VALUES (1); INSERT INTO u VALUES (2, 1); INSERT INTO w VALUES (1, 2);
-- keeps
SELECT * FROM w;

-- case: both sides of a foreign key from integer to text
-- main
CREATE TABLE t (id text PRIMARY KEY);
CREATE TABLE u (t text REFERENCES t);
-- standby
CREATE TABLE t (id integer PRIMARY KEY);
CREATE TABLE u (t integer REFERENCES t);
INSERT INTO t VALUES (1); INSERT INTO u VALUES (1);
-- keeps
SELECT * FROM u;

-- case: under unique, exclusion and check constraints
-- main
CREATE TABLE t (id integer PRIMARY KEY, a bigint UNIQUE, b text CHECK (b <> 'no'), r int8range, EXCLUDE USING gist (r WITH &&));
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer UNIQUE, b varchar(9) CHECK (b <> 'no'), r int4range, EXCLUDE USING gist (r WITH &&));
INSERT INTO t VALUES (1, 2, 'x', NULL);
-- keeps
SELECT * FROM t;

-- case: under a trigger's column list and condition, a policy, a rule and statistics
-- main
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE log (a text);
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE TRIGGER on_a BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE FUNCTION touch();
CREATE POLICY by_a ON t USING (a IS NOT NULL);
CREATE RULE to_log AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.a);
CREATE STATISTICS t_s ON a, b FROM t;
-- standby
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE log (a text);
CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer);
INSERT INTO t VALUES (1, 2, 3);
CREATE TRIGGER on_a BEFORE UPDATE OF a ON t FOR EACH ROW WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE FUNCTION touch();
CREATE POLICY by_a ON t USING (a IS NOT NULL);
CREATE RULE to_log AS ON INSERT TO t DO ALSO INSERT INTO log VALUES (NEW.a);
CREATE STATISTICS t_s ON a, b FROM t;
-- keeps
SELECT * FROM t;
SELECT count(*) FROM log; --> (0)

-- case: under functions that take or return the table's row
-- main
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE FUNCTION all_t() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t';
CREATE FUNCTION a_of(t) RETURNS text LANGUAGE sql AS 'SELECT $1.a::text';
CREATE VIEW v AS SELECT a_of(t) AS a FROM t;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer);
CREATE FUNCTION all_t() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t';
CREATE FUNCTION a_of(t) RETURNS text LANGUAGE sql AS 'SELECT $1.a::text';
CREATE VIEW v AS SELECT a_of(t) AS a FROM t;
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT * FROM v;
SELECT * FROM all_t();

-- case: under an SQL-standard function body
-- main
CREATE TABLE t (id integer PRIMARY KEY, a bigint);
CREATE FUNCTION sum_a() RETURNS numeric LANGUAGE sql BEGIN ATOMIC SELECT sum(a) FROM t; END;
-- standby
CREATE TABLE t (id integer PRIMARY KEY, a integer);
CREATE FUNCTION sum_a() RETURNS numeric LANGUAGE sql BEGIN ATOMIC SELECT sum(a) FROM t; END;
INSERT INTO t VALUES (1, 2);
-- keeps
SELECT sum_a();

-- case: serial to bigserial
-- main
CREATE TABLE t (id bigserial PRIMARY KEY, a text);
-- standby
CREATE TABLE t (id serial PRIMARY KEY, a text);
INSERT INTO t (a) VALUES ('x'), ('y');
-- keeps
SELECT * FROM t ORDER BY id;
SELECT last_value, is_called FROM t_id_seq;

-- case: of an identity column
-- main
CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a text);
-- standby
CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a text);
INSERT INTO t (a) VALUES ('x'), ('y');
-- keeps
SELECT * FROM t ORDER BY id;
SELECT last_value, is_called FROM t_id_seq;

-- case: timestamp to timestamptz, by way of UTC, and the precision
-- both
CREATE TABLE t (id integer PRIMARY KEY, a timestamp, b timestamptz, c interval, d timestamp(6));
-- main
ALTER TABLE t ALTER a TYPE timestamptz, ALTER b TYPE timestamp, ALTER c TYPE interval day to second, ALTER d TYPE timestamp(0);
-- standby
INSERT INTO t VALUES (1, '2020-01-01 10:00', '2020-01-01 10:00+00', '1 hour', '2020-01-01 10:00:00');
-- keeps
SELECT id, a AT TIME ZONE 'UTC' AS a, b, c, d FROM t; --> (1,"2020-01-01 10:00:00","2020-01-01 10:00:00",01:00:00,"2020-01-01 10:00:00")

-- case: through a composite type
-- both
CREATE TYPE pair AS (x integer, y text);
CREATE TABLE t (id integer PRIMARY KEY, a text, b pair);
-- main
ALTER TABLE t ALTER a TYPE pair USING a::pair, ALTER b TYPE text USING b::text;
-- standby
INSERT INTO t VALUES (1, '(1,one)', '(2,two)');
-- keeps
SELECT id, (a).x, b FROM t; --> (1,1,"(2,two)")

-- case: text to citext and to an extension's type in another schema
-- both
CREATE SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE TABLE t (id integer PRIMARY KEY, mail text UNIQUE, h text);
-- main
ALTER TABLE t ALTER mail TYPE ext.citext, ALTER h TYPE ext.hstore USING h::ext.hstore;
-- standby
INSERT INTO t VALUES (1, 'A@b', 'x=>1');
-- keeps
SELECT id, mail, h OPERATOR(ext.->) 'x' AS h FROM t; --> (1,A@b,1)
