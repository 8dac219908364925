INSERT INTO task (event, kind, person, opened_n, opened_at, due_at, ended_at, ended_n, outcome, answered_by) VALUES
    (1, 'verify', 'wang', 2, '2026-03-01 08:16Z', '2026-03-01 09:16Z', '2026-03-01 08:40Z', 3, 'exists', 'wang'),
    (1, 'check', 'wang', 6, '2026-03-01 09:16Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO cohandler (event, unit, part, added_at, added_by, done_at, done_by, note) VALUES
    (1, 'fire', 'keeps the street closed', '2026-03-01 08:50Z', 'wang', '2026-03-01 09:10Z', 'li', 'open again');
INSERT INTO cohandler (event, unit, part, added_at, added_by)
SELECT id, 'water', 'brings a hose', '2026-03-02 08:50Z', 'wang' FROM grid_event WHERE number = '410105-20260302-00001';
INSERT INTO camera_look (event, next_at, looked_at, outcome, cameras) VALUES
    (1, '2026-03-01 09:20Z', '2026-03-01 09:19Z', 'still_seen', '[{"camera": "yard-02/cam-01"}]');
-- A case that was given to somebody, one that is filed and waits for dispatch, and one that was
-- merged into the first.
UPDATE grid_event SET assignee = 'li' WHERE id = 1;
INSERT INTO grid_event (number, state, origin, ever_reported, category, subcategory, merge_group, severity,
    title, lon, lat, cell, occurred_at, last_seen_at, opened_at, filed_at, ended_at, parent, version)
VALUES ('410105-20260301-00004', 'filed', 'machine', false, 'fire_safety', 'open_flame', 'fire', 'S1',
        'Open flame', 113.65, 34.76, '410105000001001', '2026-03-01 12:15Z', '2026-03-01 12:20Z',
        '2026-03-01 12:15Z', '2026-03-01 12:15Z', NULL, NULL, 1),
       ('410105-20260301-00005', 'merged', 'machine', false, 'fire_safety', 'open_flame', 'fire', 'S1',
        'Open flame', 113.65, 34.76, '410105000001001', '2026-03-01 08:25Z', '2026-03-01 08:30Z',
        '2026-03-01 08:25Z', NULL, '2026-03-01 08:25Z', 1, 1);
UPDATE grid_event_counter SET last = 5 WHERE district = '410105' AND day = '2026-03-01';
INSERT INTO grid_event_history (event, n, at, name, from_state, to_state, role, actor, reason, facts, prev_hash, hash)
SELECT id, 1, opened_at, 'open', NULL, state, 'system', 'hub', NULL, '{}', '', number
FROM grid_event WHERE number IN ('410105-20260301-00004', '410105-20260301-00005');
INSERT INTO detection (episode, station, agent, boot, stream, kind, label, phase, revision, started_at,
    raised_at, raised_frame, captured_at, score, peak_score, lon, lat, cell, rule, event, received_at)
SELECT '4f8b2c1e-0000-4000-8000-000000000003', 'north', 'yard-02', 'b7f3', 'cam-01', 'flame', 'flame',
       'raised', 1, opened_at, opened_at, 10, opened_at, 0.9, 0.9, lon, lat, cell,
       '{"name": "k_of_n"}', id, opened_at
FROM grid_event WHERE number = '410105-20260301-00004';
