-- A hold that stands on an event, one on a picture that was released, and a picture that was erased.
INSERT INTO evidence_hold (event, placed_at, placed_by, reason)
    VALUES (1, '2026-03-02 08:00Z', 'Chen Jing', 'a complaint');
INSERT INTO evidence_hold (digest, placed_at, placed_by, reason, released_at, released_by, release_reason)
    VALUES (repeat('ab', 32), '2026-03-02 08:00Z', 'Chen Jing', 'an audit', '2026-03-03 08:00Z', 'Li Wei', 'audited');
INSERT INTO evidence (digest, media_type, total, captured_at, erased_at, erased_by, erased_why, gone_at)
    VALUES (repeat('04', 32), 'image/jpeg', 9, '2026-03-01 08:00Z', '2026-03-04 08:00Z', 'retention', 'its time is over', '2026-03-04 08:00Z');
-- Another one that was erased, and whose bytes are still to go.
INSERT INTO evidence (digest, media_type, total, captured_at, erased_at, erased_by, erased_why)
    VALUES (repeat('05', 32), 'image/jpeg', 9, '2026-03-01 08:00Z', '2026-03-04 08:00Z', 'retention', 'its time is over');
