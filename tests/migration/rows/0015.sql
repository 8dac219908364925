INSERT INTO account (login, login_key, person, role, cells, unit, password_hash, created_at, created_by, password_at, disabled_at) VALUES
    ('Wang', 'wang', 'wang', 'leader', '{410105000001}', NULL, '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA', '2026-01-01Z', 'root (command line)', '2026-01-01Z', NULL),
    ('Prometheus', 'prometheus', NULL, 'monitor', '{}', NULL, NULL, '2026-01-01Z', 'root (command line)', NULL, NULL),
    ('gone', 'gone', 'gone', 'assistant', '{}', NULL, '$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA', '2026-01-01Z', 'root (command line)', '2026-01-01Z', '2026-02-01Z');
INSERT INTO account_session (account, token_hash, begun_at, seen_at, expires_at, address, browser) VALUES
    (1, 'session-1', '2026-03-01 08:00Z', '2026-03-01 08:10Z', '2026-03-02 00:00Z', '203.0.113.7', 'Firefox');
INSERT INTO sign_in_link (token_hash, account, made_at, expires_at) VALUES
    ('link-1', 1, '2026-03-01 08:10Z', '2026-03-01 08:20Z');
INSERT INTO sign_in_try (at, login_key, net, succeeded) VALUES
    ('2026-03-01 07:59Z', 'wang', '203.0.113.7', false), ('2026-03-01 08:00Z', 'wang', '203.0.113.7', true),
    ('2026-03-01 08:05Z', 'wang', '203.0.113.9', false);
INSERT INTO api_token (account, name, token_hash, role, created_at, created_by, expires_at) VALUES
    (2, 'figures', 'token-1', 'monitor', '2026-01-01Z', 'root (command line)', '2027-01-01Z');
INSERT INTO audit (at, actor, role, login, via, address, action, subject, detail, outcome) VALUES
    ('2026-03-01 08:00Z', 'wang', 'leader', 'Wang', 'password', '203.0.113.7', 'sign_in', 'Wang', '', 'done'),
    ('2026-03-01 08:05Z', 'wang', 'leader', 'Wang', 'session', '203.0.113.7', 'judge', '410105-20260301-00001', 'confirmed', NULL);
