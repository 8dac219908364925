INSERT INTO outbox (event, n, name, at, data, shared_at) VALUES
    (1, 1, 'ingest_detection', '2026-03-01 08:00+00', '{"number": "410105-20260301-00001", "n": 1, "severity": "S1", "cell": "410105000001001", "test": false}', '2026-03-01 08:00+00'),
    (1, 2, 'confirm', '2026-03-01 08:05+00', '{"number": "410105-20260301-00001", "n": 2, "severity": "S1", "cell": "410105000001001", "test": false}', '2026-03-01 08:05+00'),
    (1, 3, 'dispatch', '2026-03-01 08:10+00', '{"number": "410105-20260301-00001", "n": 3, "severity": "S1", "cell": null, "test": false}', NULL);

INSERT INTO webhook (url, secret, made_at, made_by, failures, failing_since, next_at) VALUES
    ('https://receiver.example/hub', 'whsec_c2VjcmV0', '2026-02-01 08:00+00', 'wang', 1, '2026-03-01 08:00+00', '2026-03-01 08:01+00');

INSERT INTO webhook_delivery (webhook, outbox, event, state, attempts, queued_at, next_at, last_at, last_status, last_error, ended_at) VALUES
    (1, 1, 1, 'delivered', 1, '2026-03-01 08:00+00', '2026-03-01 08:00+00', '2026-03-01 08:00+00', 204, NULL, '2026-03-01 08:00+00'),
    (1, 2, 1, 'waiting', 1, '2026-03-01 08:05+00', '2026-03-01 08:06+00', '2026-03-01 08:05+00', 503, 'HTTP 503: busy', NULL),
    (1, NULL, NULL, 'dead', 3, '2026-03-01 08:05+00', '2026-03-01 08:06+00', '2026-03-01 08:05+00', NULL, 'no answer', '2026-03-01 09:05+00');

INSERT INTO notice (event, kind, person, role, cell, severity, title_en, title_zh, at, key) VALUES
    (1, 'overdue', 'yard-02', NULL, NULL, 'S1', 'Overdue: Open flame', '已超时：明火', '2026-03-01 09:00+00', 'one'),
    (1, 'overdue', NULL, 'device', '410105000001001', 'S1', 'Overdue: Open flame', '已超时：明火', '2026-03-01 09:00+00', 'two'),
    (1, 'half_time', 'li', NULL, NULL, 'S1', 'Half of the time is over', '时限已过半', '2026-03-01 08:30+00', 'three');

INSERT INTO notice_preference (person, mail, quiet_from, quiet_to, kinds_off) VALUES
    ('li', true, '22:00', '07:00', '{half_time}');

INSERT INTO mail (notice, person, address, language, severity, state, queued_at, next_at, ended_at) VALUES
    (1, 'li', 'li@district.example', 'zh', 'S1', 'waiting', '2026-03-01 08:05+00', '2026-03-01 08:06+00', NULL),
    (NULL, 'li', 'li@district.example', 'zh', 'S1', 'sent', '2026-03-01 08:05+00', '2026-03-01 08:06+00', '2026-03-01 08:07+00'),
    (NULL, 'li', 'li@district.example', 'zh', NULL, 'waiting', '2026-03-01 08:15+00', '2026-03-01 08:20+00', NULL);
INSERT INTO mail (notice, person, address, language, severity, state, folded_into, queued_at, next_at, ended_at) VALUES
    (3, 'li', 'li@district.example', 'zh', 'S1', 'folded', 2, '2026-03-01 08:05+00', '2026-03-01 08:06+00', '2026-03-01 08:07+00');

INSERT INTO cap_alert (identifier, event, number, msg_type, sender, sent, sent_at, expires_at, severity, title, facts, ended, xml) VALUES
    ('410105-20260301-00001.2.Alert', 1, '410105-20260301-00001', 'Alert', 'alerts@district.example', '2026-03-01T16:05:00+08:00', '2026-03-01 08:05+00', '2026-03-02 08:05+00', 'S1', '明火', 'facts', false, '<alert/>');

INSERT INTO open311_request (token, event, at, description) VALUES
    ('t0ken', 1, '2026-03-01 08:01+00', 'It burns');

INSERT INTO outside_alert (fingerprint, starts_at, event) VALUES
    ('f1ngerprint', '2026-03-01 08:15+00', 1);
