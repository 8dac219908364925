INSERT INTO enrolment (agent, station, credential, password_hash, serial, enrolled_at, issued_at,
                       expires_at, revoked_at)
VALUES ('yard-02', 'north', 'certificate', NULL, 'c0ffee', '2026-03-01 08:00Z', '2026-03-01 08:00Z',
        '2027-03-01 08:00Z', NULL),
       ('yard-03', 'north', 'password', '$7$101$c2FsdA==$aGFzaA==', NULL, '2026-03-01 08:00Z',
        '2026-03-01 08:00Z', NULL, NULL);
INSERT INTO revoked_certificate (serial, agent, revoked_at, expires_at)
VALUES ('decaf', 'yard-02', '2026-03-01 09:00Z', '2027-02-01 08:00Z');
