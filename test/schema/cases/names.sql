-- case: quotes, dots, spaces, newlines, other alphabets, dollars and semicolons
-- both
CREATE SCHEMA "Übung ""one"".two; $$";
CREATE TABLE "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --" ("Id ;" integer PRIMARY KEY, "a
b" text);
-- main
ALTER TABLE "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --" ADD "列 %s $1" text DEFAULT '; -- /*' CONSTRAINT "chk ' "" \" CHECK ("列 %s $1" <> $$'$$);
CREATE INDEX "in dex ' ; \d" ON "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --" (lower("a
b"), "列 %s $1");
CREATE TYPE "Übung ""one"".two; $$"."Enum.of ""x""" AS ENUM ('it''s', 'a"b', E'two\nlines', '$$', '\', '列');
CREATE FUNCTION "Übung ""one"".two; $$"."f (x)"("arg ""1""" integer, "b,c" text DEFAULT ')') RETURNS integer LANGUAGE sql AS $f$ SELECT $1 $f$;
CREATE VIEW "Übung ""one"".two; $$"."vi ""e"" w" AS SELECT "Id ;" AS "x ""y"" z" FROM "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --";
COMMENT ON COLUMN "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --"."列 %s $1" IS E'it''s\n-- \\ $$ "x"';
GRANT SELECT ("列 %s $1") ON "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --" TO corpus_alice;
-- standby
INSERT INTO "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --" VALUES (1, 'x');
-- keeps
SELECT "a
b" FROM "Übung ""one"".two; $$"."Ta.ble ' ""q"" $x$; --";

-- case: a column of such a name retyped under dependents
-- main
CREATE TABLE "T ;" ("a ""b"".c;" bigint PRIMARY KEY, "select" text, "Group" text);
CREATE VIEW "order" AS SELECT "a ""b"".c;", "select" FROM "T ;";
CREATE INDEX "user" ON "T ;" ("Group", "select");
CREATE TABLE "table" ("primary" bigint REFERENCES "T ;");
-- standby
CREATE TABLE "T ;" ("a ""b"".c;" integer PRIMARY KEY, "select" varchar(5), "Group" text);
CREATE VIEW "order" AS SELECT "a ""b"".c;", "select" FROM "T ;";
CREATE INDEX "user" ON "T ;" ("Group", "select");
CREATE TABLE "table" ("primary" integer REFERENCES "T ;");
INSERT INTO "T ;" VALUES (1, 'x', 'y'); INSERT INTO "table" VALUES (1);
-- keeps
SELECT * FROM "T ;" WHERE "select" = 'x';

-- case: of 63 bytes, where anything put behind them is lost
-- main
CREATE TABLE ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt (b text, ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc bigint PRIMARY KEY);
CREATE TYPE eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee AS ENUM ('a', 'c');
CREATE TABLE tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt2 (a eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee);
-- standby
CREATE TABLE ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt (ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc integer PRIMARY KEY, b text);
CREATE TYPE eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee AS ENUM ('a', 'b', 'c');
CREATE TABLE tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt2 (a eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee);
INSERT INTO ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt VALUES (1, 'x');
INSERT INTO tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt2 VALUES ('c');
-- keeps
SELECT b FROM ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt;
SELECT * FROM tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt2;

-- case: that differ in case or in their quoting only
-- main
CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE "T" ("Id" integer, "id" bigint); CREATE TABLE " t" (" id" integer);
CREATE FUNCTION f(t) RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION f("T") RETURNS integer LANGUAGE sql AS 'SELECT 2';
-- standby
CREATE TABLE t (id integer PRIMARY KEY); CREATE TABLE "T" ("Id" integer, "id" integer); CREATE TABLE " t" ("id" integer);
CREATE FUNCTION f("T") RETURNS integer LANGUAGE sql AS 'SELECT 3';
INSERT INTO t VALUES (1); INSERT INTO "T" VALUES (2, 3);
-- keeps
SELECT t.id, "T"."Id", "T".id AS third FROM t, "T";

-- case: that look like a statement, a placeholder or an entry of a dump
-- main
CREATE TABLE "x); DROP TABLE t; --" (id integer PRIMARY KEY, "TABLE public.t" text);
CREATE TABLE "-- Name: t; Type: TABLE" ("$1" integer, "%I" text);
COMMENT ON TABLE "x); DROP TABLE t; --" IS E'--\n-- Name: t; Type: TABLE; Schema: public; Owner: -\n--\n\nDROP TABLE t;';
CREATE TABLE t (id integer);
-- standby
CREATE TABLE "x); DROP TABLE t; --" (id bigint PRIMARY KEY, "TABLE public.t" integer);
CREATE TABLE t (id integer);
INSERT INTO t VALUES (1); INSERT INTO "x); DROP TABLE t; --" VALUES (1, 2);
-- keeps
SELECT t.id, "TABLE public.t" FROM t, "x); DROP TABLE t; --";

-- case: that are the system's: a table pg_class, a schema of the name of a type, a type's name for a column
-- both
CREATE SCHEMA "integer";
-- main
CREATE TABLE public.pg_class ("int" integer, "timestamp with time zone" text, "user" text);
CREATE TABLE "integer"."text" (oid integer, xmin_ integer);
CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE INDEX i ON public.pg_class (public.lower("user"), pg_catalog.lower("user"));
CREATE DOMAIN public.text AS pg_catalog.text;
CREATE TABLE u (a public.text, b pg_catalog.text);
-- standby
CREATE TABLE public.pg_class ("int" bigint, "user" text);
CREATE INDEX i ON public.pg_class (pg_catalog.lower("user"));
CREATE TABLE u (a pg_catalog.text, b pg_catalog.text);
INSERT INTO public.pg_class VALUES (1, 'x'); INSERT INTO u VALUES ('a', 'b');
-- keeps
SELECT "int", "user" FROM public.pg_class;
SELECT * FROM u;

-- case: a large number of tables, indexes and views, each a little different
-- main
DO $$ BEGIN FOR n IN 1..60 LOOP EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, a %s); CREATE INDEX ON t%s (a); CREATE VIEW v%s AS SELECT a FROM t%s', n, CASE n % 3 WHEN 0 THEN 'bigint' ELSE 'integer' END, n, n, n); END LOOP; END $$;
-- standby
DO $$ BEGIN FOR n IN 3..63 LOOP EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, a integer); CREATE INDEX ON t%s (a); CREATE VIEW v%s AS SELECT a FROM t%s', n, n, n, n); END LOOP; END $$;
INSERT INTO t6 VALUES (1, 2);
-- keeps
SELECT * FROM t6;
