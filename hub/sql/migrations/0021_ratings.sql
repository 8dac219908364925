-- Reporters rate how a closed case was dealt with; who has no account does it by a token.

-- The token itself is the reporter's alone.
CREATE TABLE report_token (
    digest  text        PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),  -- SHA-256
    report  bigint      NOT NULL REFERENCES report (id),
    made_at timestamptz NOT NULL
);
CREATE INDEX report_token_report ON report_token (report);

-- One for each report. What reporters write stays here: the history is for ever.
CREATE TABLE rating (
    report   bigint      PRIMARY KEY REFERENCES report (id),
    event    bigint      NOT NULL REFERENCES grid_event (id),  -- what the report's was merged into
    ended_at timestamptz NOT NULL,  -- of the event, when it was rated: it may be closed again
    score    smallint    NOT NULL CHECK (score BETWEEN 1 AND 5),
    comment  text        NOT NULL DEFAULT '',
    first_at timestamptz NOT NULL,
    at       timestamptz NOT NULL CHECK (at >= first_at)
);
CREATE INDEX rating_event ON rating (event, ended_at);

-- A report by the public face is a report: each was stored with its request, in the same order.
ALTER TABLE open311_request ADD COLUMN report bigint REFERENCES report (id);
UPDATE open311_request q SET report = r.id
FROM (SELECT id, event, row_number() OVER (PARTITION BY event ORDER BY reported_at, id) AS n
      FROM report WHERE reporter = 'open311' AND role = 'citizen') r,
     (SELECT token, event, row_number() OVER (PARTITION BY event ORDER BY at, token) AS n
      FROM open311_request) k
WHERE q.token = k.token AND r.event = k.event AND r.n = k.n;
CREATE UNIQUE INDEX open311_request_report ON open311_request (report) WHERE report IS NOT NULL;

-- Its token rates it, too; from now on only the digest is kept.
UPDATE open311_request SET token = encode(sha256(convert_to(token, 'UTF8')), 'hex');
INSERT INTO report_token (digest, report, made_at)
SELECT token, report, at FROM open311_request WHERE report IS NOT NULL;
ALTER TABLE open311_request RENAME COLUMN token TO digest;

-- A letter to a reporter.
ALTER TABLE mail ADD COLUMN report bigint REFERENCES report (id);
ALTER TABLE mail ADD CHECK (notice IS NULL OR report IS NULL);
CREATE INDEX mail_report ON mail (report) WHERE report IS NOT NULL;

INSERT INTO schema_version (version) VALUES (21);
