-- case: added and removed
-- both
CREATE TABLE p (id integer, a text);
CREATE TABLE q (id integer, a text);
-- main
CREATE TABLE c (b text) INHERITS (p);
CREATE TABLE d (id integer, a text);
-- standby
CREATE TABLE c (id integer, a text, b text);
CREATE TABLE d () INHERITS (q);
INSERT INTO c VALUES (1, 'x', 'y'); INSERT INTO d VALUES (2, 'z');
-- keeps
SELECT id, a, b FROM ONLY c;
SELECT id, a FROM ONLY d;

-- case: another parent
-- both
CREATE TABLE p (id integer, a text);
CREATE TABLE q (id integer, a text);
-- main
CREATE TABLE c (b text) INHERITS (q);
-- standby
CREATE TABLE c (b text) INHERITS (p);
INSERT INTO c VALUES (1, 'x', 'y');
-- keeps
SELECT id, a, b FROM c;

-- case: a parent's column is added, dropped and retyped
-- both
CREATE TABLE p (id integer, gone text, a integer);
CREATE TABLE c (b text) INHERITS (p);
CREATE TABLE cc () INHERITS (c);
-- main
DROP TABLE cc, c, p;
CREATE TABLE p (id integer, a bigint, n text DEFAULT 'new');
CREATE TABLE c (b text) INHERITS (p);
CREATE TABLE cc () INHERITS (c);
-- standby
INSERT INTO p VALUES (1, 'g', 2); INSERT INTO c VALUES (3, 'g', 4, 'b'); INSERT INTO cc VALUES (5, 'g', 6, 'b');
-- keeps
SELECT id, a FROM p ORDER BY id;
SELECT id, b FROM c ORDER BY id;

-- case: defaults, NOT NULL and checks of a child and its parent
-- both
CREATE TABLE p (id integer DEFAULT 1, a text, CONSTRAINT has_a CHECK (a <> ''));
CREATE TABLE c (b text) INHERITS (p);
-- main
ALTER TABLE c ALTER id SET DEFAULT 2;
ALTER TABLE p ALTER a SET NOT NULL;
ALTER TABLE p DROP CONSTRAINT has_a;
ALTER TABLE p ADD CONSTRAINT has_id CHECK (id > 0);
ALTER TABLE p ADD CONSTRAINT only_p CHECK (id < 100) NO INHERIT;
-- standby
INSERT INTO p VALUES (1, 'x'); INSERT INTO c VALUES (200, 'y', 'z');
-- keeps
SELECT id, a FROM p ORDER BY id;

-- case: a check becomes inherited, another becomes the child's own
-- both
CREATE TABLE p (id integer);
-- main
ALTER TABLE p ADD CONSTRAINT ck CHECK (id > 0);
CREATE TABLE c () INHERITS (p);
ALTER TABLE c ADD CONSTRAINT own CHECK (id < 100);
-- standby
CREATE TABLE c () INHERITS (p);
ALTER TABLE c ADD CONSTRAINT ck CHECK (id > 0);
ALTER TABLE p ADD CONSTRAINT own CHECK (id < 100);
INSERT INTO c VALUES (1);
-- keeps
SELECT * FROM p;

-- case: a child that only the standby has, and one that only main has
-- both
CREATE TABLE p (id integer, a text);
-- main
CREATE TABLE c () INHERITS (p);
-- standby
CREATE TABLE d () INHERITS (p);
INSERT INTO p VALUES (1, 'x'); INSERT INTO d VALUES (2, 'y');
-- keeps
SELECT * FROM ONLY p;

-- case: of two parents, and one is taken away
-- both
CREATE TABLE p (id integer, a text);
CREATE TABLE q (id integer, b text);
-- main
CREATE TABLE c (c text) INHERITS (p, q);
-- standby
CREATE TABLE c (id integer, b text, c text) INHERITS (p);
INSERT INTO c (id, a, b, c) VALUES (1, 'a', 'b', 'c');
-- keeps
SELECT id, a, b, c FROM c;

-- case: a parent is dropped under its children
-- main
CREATE TABLE c (id integer, b text);
-- standby
CREATE TABLE p (id integer);
CREATE TABLE c (b text) INHERITS (p);
INSERT INTO c VALUES (1, 'b');
-- keeps
SELECT * FROM c;

-- case: an inherited column becomes the child's own
-- main
CREATE TABLE parent (id integer);
CREATE TABLE child (extra integer) INHERITS (parent);
-- standby
CREATE TABLE parent (id integer, extra integer);
CREATE TABLE child () INHERITS (parent);
INSERT INTO child VALUES (1, 2);
-- keeps
SELECT id, extra FROM child;

-- case: a column that two parents give is retyped, and a child with a check gets a second parent
-- main
CREATE TABLE one (a bigint, x integer CONSTRAINT positive CHECK (x > 1));
CREATE TABLE two (a bigint, y integer);
CREATE TABLE both_of () INHERITS (one, two);
CREATE TABLE first_of (z integer) INHERITS (one, two);
-- standby
CREATE TABLE one (a integer, x integer CHECK (x > 0));
CREATE TABLE two (a integer, y integer);
CREATE TABLE both_of () INHERITS (one, two);
CREATE TABLE first_of (z integer) INHERITS (one);
INSERT INTO both_of (a, x, y) VALUES (1, 2, 3); INSERT INTO first_of (a, x, z) VALUES (4, 5, 6);
-- keeps
SELECT a, x, y FROM both_of;
SELECT a, x, z FROM first_of;
