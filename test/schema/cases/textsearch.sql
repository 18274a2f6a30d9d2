-- pgdump only: text search
-- case: dictionaries and configurations created, changed, dropped
-- both
CREATE TEXT SEARCH DICTIONARY d1 (TEMPLATE = simple, accept = false);
CREATE TEXT SEARCH CONFIGURATION c1 (COPY = simple);
CREATE TABLE t (id integer PRIMARY KEY, a text);
-- main
ALTER TEXT SEARCH DICTIONARY d1 (accept = true);
CREATE TEXT SEARCH DICTIONARY d2 (TEMPLATE = snowball, language = english, stopwords = english);
ALTER TEXT SEARCH CONFIGURATION c1 ALTER MAPPING FOR asciiword WITH d2, d1;
ALTER TEXT SEARCH CONFIGURATION c1 DROP MAPPING FOR url;
CREATE TEXT SEARCH CONFIGURATION c2 (PARSER = "default");
COMMENT ON TEXT SEARCH CONFIGURATION c2 IS 'empty';
ALTER TEXT SEARCH DICTIONARY d2 OWNER TO corpus_alice;
CREATE INDEX i ON t USING gin (to_tsvector('c1', a));
-- standby
CREATE TEXT SEARCH DICTIONARY d3 (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION c3 (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION c3 ALTER MAPPING FOR asciiword WITH d3;
CREATE INDEX i ON t USING gin (to_tsvector('c1', a));
INSERT INTO t VALUES (1, 'x');
-- keeps
SELECT * FROM t;

-- case: parsers and templates
-- main
CREATE TEXT SEARCH PARSER p (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE te (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = te);
CREATE TEXT SEARCH CONFIGURATION c (PARSER = p);
-- standby
CREATE TEXT SEARCH PARSER p (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE te (LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH CONFIGURATION c (PARSER = p);
