INSERT INTO discarded (agent, boot, lane, device, n, per_minute, first_at, last_at)
VALUES ('yard-02', 'b7f3', 'reading', 'meter-1', 120, 60, '2026-03-01 08:00Z', '2026-03-01 08:01Z');
UPDATE agent SET first_detection = 17 WHERE agent = 'yard-02';
