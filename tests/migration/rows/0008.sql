INSERT INTO unit (code, kind, name_en, name_zh, parent, phone, email) VALUES
    ('office', 'department', 'Command Centre', '指挥中心', NULL, '', 'office@example.org'),
    ('fire', 'department', 'Fire Brigade', '消防大队', 'office', '119', '');
INSERT INTO person (code, name, unit, language, left_at) VALUES
    ('wang', '王静', 'office', 'zh', NULL), ('li', 'Li Wei', NULL, 'en', NULL),
    ('gone', '赵磊', NULL, 'zh', '2026-02-01Z');
INSERT INTO post (person, role, cell, unit, from_at, to_at) VALUES
    ('wang', 'leader', '410105000001', NULL, '2026-01-01Z', NULL),
    ('li', 'assistant', '410105000001001', NULL, '2026-01-01Z', NULL),
    ('gone', 'assistant', '410105000001001', NULL, '2026-01-01Z', '2026-02-01Z');
INSERT INTO responsibility (category, subcategory, cell, unit, from_at) VALUES
    ('fire_safety', NULL, '410105', 'fire', '2026-01-01Z');
INSERT INTO shift (person, cell, begins_at, ends_at) VALUES
    ('li', NULL, '2026-03-01 08:00Z', '2026-03-01 16:00Z');
INSERT INTO person_position VALUES ('li', 113.65, 34.76, 12, '2026-03-01 08:10Z');
INSERT INTO terminal (code, person, model) VALUES ('t-1', 'li', 'handset');
INSERT INTO budget_line VALUES ('410105000001001', 2026, 1200000, '');
INSERT INTO registry_entry (kind, name, cell, lon, lat, attributes, created_at, created_by,
                            changed_at, changed_by)
VALUES ('place', 'Timber yard', '410105000001001', 113.65, 34.76, '{"risk": "fire"}',
        '2026-02-01Z', 'wang', '2026-02-01Z', 'wang');
INSERT INTO event_entry (event, entry, relation, linked_at, linked_by)
VALUES (1, 1, 'at', '2026-03-01 08:30Z', 'wang');
