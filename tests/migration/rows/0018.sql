-- A case that is over has its facts, another one waits for them.
INSERT INTO case_fact (event, n, rules, last_at, span, facts)
SELECT id, version, 'rules-1', '2026-03-01 09:00Z', '[2026-03-01 08:00Z, 2026-03-01 09:00Z]', '\x90'
FROM grid_event WHERE id = 1;
DELETE FROM case_pending WHERE event = 1;
INSERT INTO case_pending (event) VALUES (2) ON CONFLICT DO NOTHING;
