-- pgdump only: conversions
-- case: created, changed, dropped
-- main
CREATE CONVERSION a FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION b FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION a IS 'latin';
ALTER CONVERSION a OWNER TO corpus_alice;
-- standby
CREATE CONVERSION b FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
