INSERT INTO sensor (agent, device, source, name, lon, lat)
VALUES ('yard-02', 'well-1', 'lora', 'Well at the bridge', 113.65, 34.76);
INSERT INTO sensor_value (agent, device, metric, label, place, unit, value, captured_at,
                          received_at, interval_s, n)
VALUES ('yard-02', 'well-1', 'water_level', '', '', 'm', 1.2, '2026-03-01 08:00Z',
        '2026-03-01 08:00:01Z', 600, 12);
INSERT INTO detection_change (agent, boot, seq, episode, revision, phase, captured_at, received_at, committed_at, body)
VALUES ('yard-02', 'b7f3', 19, '4f8b2c1e-0000-4000-8000-000000000004', 1, 'raised',
        '2026-03-01 08:20Z', '2026-03-01 08:20:01Z', '2026-03-01 08:20:01.1Z',
        '{"kind": "high_water", "readings": {"metric": "water_level", "unit": "m", "values": [[-600, 0.9], [0, 1.2]], "high": 1.0}}');
