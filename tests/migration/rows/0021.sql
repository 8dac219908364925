INSERT INTO report (event, role, reporter, description, lon, lat, reported_at) VALUES
    (1, 'citizen', 'open311', 'It burns still', 113.65, 34.76, '2026-03-01 08:02+00');

INSERT INTO report_token (digest, report, made_at)
SELECT repeat('cd', 32), max(id), '2026-03-01 08:02+00' FROM report;

INSERT INTO open311_request (digest, event, at, description, photo, email, report)
SELECT repeat('cd', 32), 1, '2026-03-01 08:02+00', 'It burns still', repeat('ab', 32), 'zhang@mail.example', max(id) FROM report;

INSERT INTO rating (report, event, ended_at, score, comment, first_at, at)
SELECT max(id), 1, '2026-03-01 09:00+00', 4, 'quickly done', '2026-03-01 10:00+00', '2026-03-01 11:00+00' FROM report;

INSERT INTO mail (report, person, address, language, queued_at, next_at)
SELECT max(id), 'reporter', 'zhang@mail.example', 'zh', '2026-03-01 08:05+00', '2026-03-01 08:06+00' FROM report;
