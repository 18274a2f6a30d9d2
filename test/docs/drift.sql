-- What became of the standby, which people wrote to.
UPDATE orders SET state = 'lost' WHERE id IN (1207, 3001);
DELETE FROM orders WHERE id > 4990;
INSERT INTO orders VALUES (9001, 7, 1.00, 'test', '2026-03-01');
-- Two customers have each other's address.
UPDATE customers SET email = 'moving' WHERE id = 7;
UPDATE customers SET email = 'c7@example.com' WHERE id = 8;
UPDATE customers SET email = 'c8@example.com' WHERE id = 7;
INSERT INTO events VALUES ('2026-03-02', 'test');
