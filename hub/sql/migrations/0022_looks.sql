-- The hub asks a camera to look again at the place where it saw a case that was dealt with.
CREATE TABLE look (
    id          uuid        PRIMARY KEY,
    event       bigint      NOT NULL REFERENCES grid_event (id),
    agent       text        NOT NULL,
    stream      text        NOT NULL,
    question    jsonb       NOT NULL,  -- kind, label, place, box, episode
    asked_at    timestamptz NOT NULL,
    until       timestamptz NOT NULL CHECK (until > asked_at),  -- an answer is late from then on
    sent_at     timestamptz,
    answered_at timestamptz,
    outcome     text        CHECK (outcome IN ('seen', 'clear', 'cannot_tell')),
    reason      text        NOT NULL DEFAULT '',
    score       real,
    threshold   real,
    frames      integer,
    picture     text,
    CHECK ((answered_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX look_event ON look (event, asked_at);
CREATE INDEX look_unsent ON look (until) WHERE sent_at IS NULL AND answered_at IS NULL;

-- Since when the cameras of a case are asked; before, they were asked about an earlier disposal.
ALTER TABLE camera_look ADD COLUMN begun_at timestamptz;
UPDATE camera_look SET begun_at = coalesce(looked_at, next_at, now());
ALTER TABLE camera_look ALTER COLUMN begun_at SET NOT NULL;

INSERT INTO schema_version (version) VALUES (22);
