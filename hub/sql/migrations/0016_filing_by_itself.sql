-- What comes back, what confirms another, and what is filed by itself.
ALTER TABLE grid_event
    ADD COLUMN recurrence_of   bigint REFERENCES grid_event,    -- the closed event it repeats
    ADD COLUMN occurrence      smallint NOT NULL DEFAULT 1,     -- how often at this place: 3 is a hotspot
    ADD COLUMN corroborated_at timestamptz,                     -- another sense confirmed it, once
    ADD COLUMN by_itself       jsonb,   -- why it was filed by itself or not; NULL: nothing was asked
    ADD CONSTRAINT grid_event_recurrence_check CHECK (recurrence_of <> id AND occurrence >= 1);
-- what repeats a closed event
CREATE INDEX grid_event_recurrence ON grid_event (recurrence_of) WHERE recurrence_of IS NOT NULL;
-- the provisional events, first in the queue
CREATE INDEX grid_event_pending ON grid_event (severity, id)
    WHERE confirmation = 'pending' AND ended_at IS NULL;
-- what is live in a cell and its neighbours, for what one sense says of another
CREATE INDEX grid_event_live_cell ON grid_event (cell, last_seen_at) WHERE ended_at IS NULL;

-- An event and all that was merged into it, at any depth.
CREATE FUNCTION event_family(wanted bigint) RETURNS SETOF bigint LANGUAGE sql STABLE ROWS 2 AS $$
    WITH RECURSIVE family (event) AS (
        SELECT wanted
        UNION
        SELECT g.id FROM family f JOIN grid_event g ON g.parent = f.event
    )
    SELECT event FROM family
$$;

-- Times in which nothing is filed by itself: approved works, or a silence. Expiry is by time alone.
CREATE TABLE control_window (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('works', 'silence')),
    category    text,                   -- NULL: of any category
    subcategory text,                   -- NULL: of any sub-category
    detector    text,                   -- kind of detector; NULL: of any
    cells       text[]      NOT NULL DEFAULT '{}',  -- codes of any level; or
    agent       text,                   -- one device
    stream      text,
    from_at     timestamptz NOT NULL,
    until_at    timestamptz NOT NULL,
    reason      text        NOT NULL CHECK (reason <> ''),
    permit      text        NOT NULL DEFAULT '',    -- number of the approval, where there is one
    made_at     timestamptz NOT NULL,
    made_by     text        NOT NULL,
    event       bigint      REFERENCES grid_event,  -- whose verdict led to it
    ended_at    timestamptz,            -- ended by hand before its time
    ended_by    text,
    CHECK (from_at < until_at),
    CHECK ((cells = '{}') <> (stream IS NULL)),     -- an area or a device, one of them
    CHECK ((agent IS NULL) = (stream IS NULL)),
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
-- those that hold now, asked for with each batch of detections
CREATE INDEX control_window_standing ON control_window (until_at) WHERE ended_at IS NULL;

-- What a verdict says of each stream and class that fed its event: what trust is computed from. A
-- verdict that is taken back takes its rows with it.
CREATE TABLE judged (
    agent    text        NOT NULL,
    stream   text        NOT NULL,
    kind     text        NOT NULL,
    label    text        NOT NULL,
    at       timestamptz NOT NULL,
    verdict  bigint      NOT NULL REFERENCES verdict,
    good     boolean     NOT NULL,      -- real, benign or not; false: a false alarm, or another kind
    score    float8      NOT NULL CHECK (score BETWEEN 0 AND 1),    -- peak of the detection
    PRIMARY KEY (agent, stream, kind, label, at, verdict)
);
CREATE INDEX judged_verdict ON judged (verdict);

-- what was judged before counts too
INSERT INTO judged (agent, stream, kind, label, at, verdict, good, score)
SELECT d.agent, d.stream, d.kind, d.label, v.at, v.id,
       v.verdict NOT IN ('false_alarm', 'other_kind'), max(d.peak_score)
FROM verdict v JOIN detection d ON d.event = v.event
WHERE v.undone_at IS NULL AND NOT d.test AND v.verdict NOT IN ('duplicate', 'unclear')
GROUP BY d.agent, d.stream, d.kind, d.label, v.at, v.id, v.verdict;

INSERT INTO schema_version (version) VALUES (16);
