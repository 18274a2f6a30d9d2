-- case: created, dropped with what is in it, owner, grants, comment
-- both
CREATE SCHEMA a;
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
CREATE SCHEMA b; CREATE TABLE b.t (id integer);
ALTER SCHEMA a OWNER TO corpus_alice;
GRANT USAGE, CREATE ON SCHEMA a TO corpus_bob;
COMMENT ON SCHEMA a IS 'a';
CREATE VIEW v AS SELECT id FROM t;
-- standby
CREATE SCHEMA c; CREATE TABLE c.t (id serial PRIMARY KEY); CREATE TYPE c.e AS ENUM ('x'); CREATE FUNCTION c.f(c.e) RETURNS c.t LANGUAGE sql AS 'SELECT * FROM c.t';
ALTER TABLE t ADD e c.e;
CREATE VIEW v AS SELECT t.id FROM t JOIN c.t u USING (id);
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT id, a FROM t;

-- case: public's owner, grants and comment
-- main
ALTER SCHEMA public OWNER TO corpus_alice;
GRANT CREATE ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS 'ours';
-- standby
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
CREATE TABLE t (id integer);
INSERT INTO t VALUES (1);

-- case: all of main's are other ones
-- main
CREATE SCHEMA a; CREATE TABLE a.t (id integer PRIMARY KEY); CREATE VIEW a.v AS SELECT * FROM a.t;
INSERT INTO a.t VALUES (1);
-- standby
CREATE SCHEMA b; CREATE TABLE b.t (id integer PRIMARY KEY); CREATE VIEW b.v AS SELECT * FROM b.t;
INSERT INTO b.t VALUES (2);
-- keeps
SELECT * FROM a.t; --> (1)
