-- What each camera was in, on the hub's clock, one row after the other from its first birth until
-- it is retired: what a cell could not see, and how long.
CREATE TABLE camera_state (
    agent       text        NOT NULL,
    stream      text        NOT NULL,
    cell        text        REFERENCES grid_cell,
    state       text        NOT NULL,   -- of a camera, or 'unheard': nobody told of it
    begun_at    timestamptz NOT NULL,
    heard_at    timestamptz NOT NULL,   -- when the hub last heard that it was so
    ended_at    timestamptz,            -- NULL: it is so still, or nobody said otherwise
    PRIMARY KEY (agent, stream, begun_at),
    FOREIGN KEY (agent, stream) REFERENCES stream,
    CHECK (ended_at > begun_at)
) WITH (fillfactor = 50);               -- heard_at with each heartbeat: leave room on the page
CREATE UNIQUE INDEX camera_state_open ON camera_state (agent, stream) WHERE ended_at IS NULL;
-- what reached into a time
CREATE INDEX camera_state_ended ON camera_state (ended_at);

-- from here on; of what was before only the heartbeats tell
INSERT INTO camera_state (agent, stream, cell, state, begun_at, heard_at)
SELECT s.agent, s.stream, s.cell, s.state, coalesce(a.seen_at, now()), coalesce(a.seen_at, now())
FROM stream s JOIN agent a USING (agent) WHERE s.retired_at IS NULL;

INSERT INTO schema_version (version) VALUES (7);
