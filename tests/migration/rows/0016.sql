INSERT INTO control_window (kind, category, cells, from_at, until_at, reason, permit, made_at, made_by,
                            ended_at, ended_by)
VALUES ('works', 'fire_safety', '{410105000001}', '2026-03-01 08:00Z', '2026-03-01 12:00Z',
        'welding on the bridge', 'HW-12', '2026-02-28Z', 'wang', NULL, NULL),
       ('silence', NULL, '{410105}', '2026-03-01 08:00Z', '2026-03-02 08:00Z', 'fair', '',
        '2026-02-28Z', 'wang', '2026-03-01 09:00Z', 'li');
INSERT INTO control_window (kind, agent, stream, from_at, until_at, reason, made_at, made_by)
VALUES ('silence', 'yard-02', 'cam-01', '2026-03-01 08:00Z', '2026-03-01 09:00Z', 'lamp', '2026-02-28Z',
        'wang');
INSERT INTO grid_event (number, state, origin, ever_reported, category, subcategory, merge_group, severity,
    title, lon, lat, cell, occurred_at, last_seen_at, opened_at, recurrence_of, occurrence,
    corroborated_at, by_itself, version)
VALUES ('410105-20260302-00001', 'suspected', 'machine', false, 'fire_safety', 'open_flame', 'fire', 'S1',
        'Open flame', 113.65, 34.76, '410105000001001', '2026-03-02 08:15Z', '2026-03-02 08:20Z',
        '2026-03-02 08:15Z', 1, 2, '2026-03-02 08:16Z', '{"failed": ["off"]}', 1);
INSERT INTO grid_event_history (event, n, at, name, from_state, to_state, role, actor, reason, facts, prev_hash, hash)
SELECT id, 1, opened_at, 'open', NULL, 'suspected', 'system', 'hub', NULL, '{}', '', 'ee'
FROM grid_event WHERE number = '410105-20260302-00001';
