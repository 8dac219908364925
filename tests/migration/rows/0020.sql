INSERT INTO notice (kind, role, severity, title_en, title_zh, at, key) VALUES
    ('storm', 'dispatcher', NULL, 'Many events at once', '事件激增', '2025-01-01 08:00+00', 'four');
