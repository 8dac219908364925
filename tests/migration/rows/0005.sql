INSERT INTO sensor (agent, device, source, name, lon, lat)
VALUES ('yard-02', 'well-1', 'lora', 'Well at the bridge', 113.65, 34.76);
INSERT INTO sensor_value (agent, device, metric, label, place, unit, value, captured_at,
                          received_at, interval_s, n)
VALUES ('yard-02', 'well-1', 'water_level', '', '', 'm', 1.2, '2026-03-01 08:00Z',
        '2026-03-01 08:00:01Z', 600, 12);
