INSERT INTO camera_state (agent, stream, cell, state, begun_at, heard_at, ended_at)
VALUES ('yard-02', 'cam-01', '410105000001001', 'frozen', '2026-03-01 07:00Z', '2026-03-01 07:29Z',
        '2026-03-01 07:30Z'),
       ('yard-02', 'cam-01', '410105000001001', 'online', '2026-03-01 07:30Z', '2026-03-01 07:59Z',
        '2026-03-01 08:00Z');
