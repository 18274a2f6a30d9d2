-- case: only main has it, only the standby has it
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE TYPE span AS RANGE (subtype = time, multirange_type_name = spans);
ALTER TABLE t ADD a span, ADD b spans;
-- standby
CREATE TYPE old_span AS RANGE (subtype = date);
ALTER TABLE t ADD a old_span;
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;

-- case: another subtype under a column, an exclusion constraint and a function
-- main
CREATE TYPE span AS RANGE (subtype = bigint);
CREATE TABLE t (id integer PRIMARY KEY, a span, EXCLUDE USING gist (a WITH &&));
CREATE FUNCTION f(span) RETURNS bigint LANGUAGE sql AS 'SELECT lower($1)::bigint';
-- standby
CREATE TYPE span AS RANGE (subtype = integer);
CREATE TABLE t (id integer PRIMARY KEY, a span, EXCLUDE USING gist (a WITH &&));
CREATE FUNCTION f(span) RETURNS bigint LANGUAGE sql AS 'SELECT lower($1)::bigint';
INSERT INTO t VALUES (1, '[1,5)');
-- keeps
SELECT * FROM t;

-- case: a collation, a subtype difference and a multirange name
-- main
CREATE FUNCTION diff(time, time) RETURNS double precision LANGUAGE sql IMMUTABLE AS 'SELECT extract(epoch FROM $1 - $2)::float8';
CREATE TYPE words AS RANGE (subtype = text, collation = "C");
CREATE TYPE span AS RANGE (subtype = time, subtype_diff = diff, multirange_type_name = some_spans);
CREATE TABLE t (id integer PRIMARY KEY, a words, b span);
-- standby
CREATE TYPE words AS RANGE (subtype = text);
CREATE TYPE span AS RANGE (subtype = time);
CREATE TABLE t (id integer PRIMARY KEY, a words, b span);
INSERT INTO t VALUES (1, '[a,b)', '[10:00:00,11:00:00)');
-- keeps
SELECT * FROM t;
