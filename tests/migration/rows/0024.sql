INSERT INTO rating (report, event, ended_at, score, first_at, at, taken_down_at)
SELECT min(id), 1, '2026-03-01 09:00+00', 1, '2026-03-01 10:00+00', '2026-03-01 10:00+00', '2026-03-02 09:00+00' FROM report;
