-- pgdump only: subscriptions
-- case: created, changed, dropped
-- both
CREATE SUBSCRIPTION s1 CONNECTION 'host=nowhere dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
-- main
ALTER SUBSCRIPTION s1 SET PUBLICATION p, q WITH (refresh = false);
ALTER SUBSCRIPTION s1 SET (binary = true, synchronous_commit = 'local');
CREATE SUBSCRIPTION s2 CONNECTION 'host=nowhere dbname=y' PUBLICATION "p q" WITH (connect = false, slot_name = NONE, streaming = true);
COMMENT ON SUBSCRIPTION s2 IS 'two';
-- standby
CREATE SUBSCRIPTION s3 CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE);
