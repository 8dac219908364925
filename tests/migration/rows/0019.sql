INSERT INTO task (event, kind, person, opened_n, opened_at, due_at, ended_at, ended_n, outcome, answered_by) VALUES
    (1, 'verify', 'wang', 2, '2026-03-01 08:16Z', '2026-03-01 09:16Z', '2026-03-01 08:40Z', 3, 'exists', 'wang'),
    (1, 'check', 'wang', 6, '2026-03-01 09:16Z', NULL, NULL, NULL, NULL, NULL);
INSERT INTO cohandler (event, unit, part, added_at, added_by, done_at, done_by, note) VALUES
    (1, 'fire', 'keeps the street closed', '2026-03-01 08:50Z', 'wang', '2026-03-01 09:10Z', 'li', 'open again');
INSERT INTO cohandler (event, unit, part, added_at, added_by)
SELECT id, 'water', 'brings a hose', '2026-03-02 08:50Z', 'wang' FROM grid_event WHERE number = '410105-20260302-00001';
INSERT INTO camera_look (event, next_at, looked_at, outcome, cameras) VALUES
    (1, '2026-03-01 09:20Z', '2026-03-01 09:19Z', 'still_seen', '[{"camera": "yard-02/cam-01"}]');
