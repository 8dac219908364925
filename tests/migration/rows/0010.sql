INSERT INTO evidence_wanted (digest, agent, since, asked_at)
VALUES (repeat('fa', 32), 'yard-02', '2026-03-01 08:00Z', '2026-03-01 08:05Z');
