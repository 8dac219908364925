-- At least one row in every table that version 1 has.

INSERT INTO hub (epoch, incarnation, created_at) VALUES ('epoch-of-1', 'somewhere/1/2', '2026-02-01Z');

INSERT INTO grid_cell (code, level, parent, name_en, name_zh, polygon) VALUES
    ('410105', 3, NULL, 'Jinshui', '金水区', '{"type": "Polygon", "coordinates": []}'),
    ('410105000001', 2, '410105', 'Secondary', '二级网格', '{"type": "Polygon", "coordinates": []}'),
    ('410105000001001', 1, '410105000001', 'Basic', '单元网格', '{"type": "Polygon", "coordinates": []}');

INSERT INTO agent (agent, station, boot, online, born_at, manifest, clock_offset_s, first_seen_at)
VALUES ('yard-02', 'north', 'b7f3', true, '2026-03-01 08:00Z', '{"boot": "b7f3"}', -0.25, '2026-02-01Z');

INSERT INTO stream (agent, stream, name, lon, lat, cell, state, since, heard_at, heard_seq)
VALUES ('yard-02', 'cam-01', 'Yard', 113.65, 34.76, '410105000001001', 'online',
        '2026-03-01 08:00Z', '2026-03-01 08:15Z', 17);

INSERT INTO ledger (agent, boot, lane, watermark, received, lost, updated_at) VALUES
    ('yard-02', 'b7f3', 'reading', 40, '{[43,50)}', '{[3,5)}', '2026-03-01 08:15Z'),
    ('yard-02', 'a001', 'detection', 7, '{}', '{}', '2026-02-01 08:15Z');

INSERT INTO quarantine (received_at, last_at, topic, station, agent, boot, lane, seq, reason, payload, hash)
VALUES ('2026-03-01 08:15Z', '2026-03-01 08:15Z', 'gw/v1/north/up/yard-02/reading', 'north', 'yard-02',
        'b7f3', 'reading', 41, 'value is not a number', '\x00ff', repeat('0', 64)),
       ('2026-03-01 08:16Z', '2026-03-01 08:17Z', 'gw/nonsense', NULL, NULL, NULL, NULL, NULL,
        'not JSON', '', repeat('1', 64));

INSERT INTO detection_change (agent, boot, seq, episode, revision, phase, captured_at, received_at, committed_at, body)
VALUES ('yard-02', 'b7f3', 17, '4f8b2c1e-0000-4000-8000-000000000001', 1, 'raised',
        '2026-03-01 08:15:30.12Z', '2026-03-01 08:15:31Z', '2026-03-01 08:15:31.1Z',
        '{"kind": "flame", "scores": [[0, 0.9]], "rule": {"reason": "5 of 8"}}');

INSERT INTO grid_event (number, state, origin, ever_reported, category, subcategory, merge_group, severity,
    title, lon, lat, cell, occurred_at, last_seen_at, opened_at, filed_at, ended_at, confirmation, version)
VALUES ('410105-20260301-00001', 'closed', 'machine', false, 'fire_safety', 'open_flame', 'fire', 'S1',
        'Open flame', 113.65, 34.76, '410105000001001', '2026-03-01 08:15Z', '2026-03-01 08:20Z',
        '2026-03-01 08:15Z', '2026-03-01 08:16Z', '2026-03-01 09:00Z', 'human', 2),
       ('410105-20260301-00002', 'suspected', 'machine', false, 'fire_safety', 'open_flame', 'fire', 'S1',
        'Open flame', NULL, NULL, NULL, '2026-03-01 10:15Z', '2026-03-01 10:20Z', '2026-03-01 10:15Z',
        NULL, NULL, 'pending', 1),
       ('410105-20260301-00003', 'suspected', 'machine', false, 'fire_safety', 'open_flame', 'fire', 'S1',
        'Open flame', 113.65, 34.76, '410105000001001', '2026-03-01 11:15Z', '2026-03-01 11:20Z',
        '2026-03-01 11:15Z', NULL, NULL, 'pending', 1);
UPDATE grid_event SET scene_cleared_at = '2026-03-01 08:00Z' WHERE id = 3;

INSERT INTO grid_event_counter VALUES ('410105', '2026-03-01', 3);

INSERT INTO grid_event_history (event, n, at, name, from_state, to_state, role, actor, reason, facts, prev_hash, hash)
VALUES (1, 1, '2026-03-01 08:15Z', 'open', NULL, 'suspected', 'system', 'hub', NULL, '{"given": {}}', '', 'aa'),
       (1, 2, '2026-03-01 08:16Z', 'confirm', 'suspected', 'filed', 'operator', 'wang', 'seen', '{}', 'aa', 'bb'),
       (2, 1, '2026-03-01 10:15Z', 'open', NULL, 'suspected', 'system', 'hub', NULL, '{}', '', 'cc'),
       (3, 1, '2026-03-01 11:15Z', 'open', NULL, 'suspected', 'system', 'hub', NULL, '{}', '', 'dd');

INSERT INTO verdict (event, verdict, reason, actor, at, history_n)
VALUES (1, 'confirmed', 'seen', 'wang', '2026-03-01 08:16Z', 2);

INSERT INTO detection (episode, station, agent, boot, stream, kind, label, phase, revision, started_at,
    raised_at, raised_frame, captured_at, score, peak_score, box, lon, lat, cell, rule, scores, event, received_at)
VALUES ('4f8b2c1e-0000-4000-8000-000000000001', 'north', 'yard-02', 'b7f3', 'cam-01', 'flame', 'flame',
        'raised', 1, '2026-03-01 08:15Z', '2026-03-01 08:15Z', 10, '2026-03-01 08:15Z', 0.9, 0.9,
        '[0.1, 0.2, 0.3, 0.4]', 113.65, 34.76, '410105000001001', '{"name": "k_of_n"}', '[[0, 0.9]]', 1,
        '2026-03-01 08:15:31Z'),
       ('4f8b2c1e-0000-4000-8000-000000000002', 'north', 'yard-02', 'b7f3', 'cam-01', 'flame', 'flame',
        'raised', 1, '2026-03-01 10:15Z', '2026-03-01 10:15Z', 10, '2026-03-01 10:15Z', 0.8, 0.8,
        NULL, NULL, NULL, NULL, '{"name": "k_of_n"}', '[]', 2, '2026-03-01 10:15:31Z');

INSERT INTO report (event, role, reporter, description, lon, lat, reported_at, request_key)
VALUES (1, 'grid_assistant', 'li', 'smoke over the yard', 113.65, 34.76, '2026-03-01 08:18Z', 'key-1');

INSERT INTO evidence (digest, agent, stream, media_type, total, received, captured_at, complete_at)
VALUES (repeat('ab', 32), 'yard-02', 'cam-01', 'image/jpeg', 100, '{[0,100)}', '2026-03-01 08:15Z',
        '2026-03-01 08:16Z'),
       (repeat('cd', 32), 'yard-02', 'cam-01', 'video/webm', 100, '{[0,48)}', '2026-03-01 08:15Z', NULL);

INSERT INTO detection_evidence (episode, digest, role, captured_at)
VALUES ('4f8b2c1e-0000-4000-8000-000000000001', repeat('ab', 32), 'frame', '2026-03-01 08:15Z');

INSERT INTO event_evidence VALUES (1, repeat('ab', 32), 1);

-- captured by clocks that are right, late and wrong; received long ago, lately, and while the hub's
-- own clock was far ahead
INSERT INTO reading (captured_at, received_at, agent, device, metric, label, place, value, unit) VALUES
    ('2026-03-01 08:15Z', '2026-03-01 08:15:01Z', 'yard-02', 'cam-01', 'vehicle_crossing', 'in', 'line', 1, '1'),
    ('2016-01-01 00:00Z', '2026-03-02 08:15:01Z', 'yard-02', 'meter-1', 'temperature', '', '', -3.5, 'Cel'),
    ('2098-01-01 00:00Z', '2026-03-02 09:00Z', 'yard-02', 'meter-1', 'temperature', '', '', 21, 'Cel'),
    ('2026-03-02 09:00Z', '2097-03-02 09:00Z', 'yard-02', 'meter-1', 'temperature', '', '', 22, 'Cel');

INSERT INTO reading_rollup VALUES
    ('1m', '2026-03-01 08:15Z', 'yard-02', 'cam-01', 'vehicle_crossing', 'in', 'line', 1, 1, 1, 1),
    ('1h', '2026-03-01 08:00Z', 'yard-02', 'cam-01', 'vehicle_crossing', 'in', 'line', 1, 1, 1, 1),
    ('1d', '2026-02-28 16:00Z', 'yard-02', 'cam-01', 'vehicle_crossing', 'in', 'line', 1, 1, 1, 1);

INSERT INTO score_block (started_at, received_at, agent, stream, kind, label, place, offsets_ms, scores)
VALUES ('2026-03-01 08:15Z', '2026-03-01 08:16Z', 'yard-02', 'cam-01', 'flame', 'flame', '', '{0,40,80}',
        '{0.1,0.5,0.9}');

INSERT INTO health (captured_at, received_at, agent, body)
VALUES ('2026-03-01 08:15Z', '2026-03-01 08:15:01Z', 'yard-02', '{"uptime_s": 5.0}');

INSERT INTO command (agent, version, issued_at, issued_by, parameters)
VALUES ('yard-02', 1, '2026-03-01 08:00Z', 'engineer', '{"cam-01": {"flame": {"threshold": 0.6}}}');
