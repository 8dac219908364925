INSERT INTO grid_outline VALUES
    ('410105000001001', 'Basic', '单元网格', '{"type": "Polygon", "coordinates": []}', '-infinity',
     '2026-01-01Z');
INSERT INTO training_set (name, created_at, created_by, pass_mark)
VALUES ('Fire or not', '2026-02-01Z', 'wang', 0.8);
INSERT INTO training_item VALUES
    (1, 1, '4f8b2c1e-0000-4000-8000-000000000001', 'confirmed'),
    (1, 2, '4f8b2c1e-0000-4000-8000-000000000002', 'false_alarm');
INSERT INTO training_attempt (training, person, begun_at, finished_at, score)
VALUES (1, 'li', '2026-02-02Z', '2026-02-02 00:10Z', 0.5), (1, 'wang', '2026-02-03Z', NULL, NULL);
INSERT INTO training_answer VALUES (1, 1, 'confirmed', '2026-02-02 00:05Z'),
    (1, 2, 'confirmed', '2026-02-02 00:06Z');
UPDATE stream SET footprint = '{"type": "Polygon", "coordinates": [[[113.6, 34.7], [113.7, 34.7], [113.7, 34.8], [113.6, 34.7]]]}';
