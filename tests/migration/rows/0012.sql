INSERT INTO clock_rules (fingerprint, since) VALUES (repeat('a', 64), '2026-03-01 08:00Z');
INSERT INTO history_checkpoint (id, at, heads, prev_hash, hash)
VALUES (1, '2026-03-01 09:00Z', 1, repeat('0', 64), repeat('b', 64));
INSERT INTO history_head (checkpoint, event, number, n, hash)
SELECT 1, e.id, e.number, e.version, repeat('c', 64) FROM grid_event e ORDER BY e.id LIMIT 1;
UPDATE grid_event SET next_rung_at = '2026-03-01 08:30Z', state_ends_at = '2026-03-01 08:40Z' WHERE id = 2;
