INSERT INTO account_session (account, token_hash, begun_at, seen_at, expires_at, address, browser, role, unit) VALUES
    (1, 'session-of-two-posts', '2026-03-01 08:00Z', '2026-03-01 08:10Z', '2026-03-02 00:00Z', '203.0.113.7', 'Firefox', 'dept', 'urban');
