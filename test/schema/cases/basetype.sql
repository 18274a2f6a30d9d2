-- pgdump only: base types are written in C
-- case: a shell type on one side only
-- main
CREATE TYPE shell;
-- standby
CREATE TYPE other_shell;

-- case: a base type on main, with functions of its own
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- main
CREATE TYPE mine;
CREATE FUNCTION mine_in(cstring) RETURNS mine LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION mine_out(mine) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE mine (INPUT = mine_in, OUTPUT = mine_out, LIKE = text, DEFAULT = 'none');
ALTER TABLE t ADD a mine;
-- standby
INSERT INTO t VALUES (1);
-- keeps
SELECT id FROM t;

-- case: a base type on the standby
-- both
CREATE TABLE t (id integer PRIMARY KEY);
-- standby
CREATE TYPE mine;
CREATE FUNCTION mine_in(cstring) RETURNS mine LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION mine_out(mine) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE mine (INPUT = mine_in, OUTPUT = mine_out, LIKE = text);
ALTER TABLE t ADD a mine;
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT id FROM t;

-- case: a base type with another storage, under a column
-- main
CREATE TYPE mine;
CREATE FUNCTION mine_in(cstring) RETURNS mine LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION mine_out(mine) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE mine (INPUT = mine_in, OUTPUT = mine_out, LIKE = text, STORAGE = external, CATEGORY = 'M');
CREATE TABLE t (id integer PRIMARY KEY, a mine);
-- standby
CREATE TYPE mine;
CREATE FUNCTION mine_in(cstring) RETURNS mine LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION mine_out(mine) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE mine (INPUT = mine_in, OUTPUT = mine_out, LIKE = text);
CREATE TABLE t (id integer PRIMARY KEY, a mine);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;
