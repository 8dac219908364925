-- The whole loop: grid, agents, ledger, detections, evidence, readings, grid events, tuning.
-- Runs in one transaction. Illegal states cannot be stored: CHECKs and partial unique indexes
-- carry the rules. Times are timestamptz; fractions are 0..1; positions are WGS 84 degrees.

-- Which migrations this database has. Each records itself in its last line.
CREATE TABLE schema_version (
    version     integer     PRIMARY KEY,
    applied_at  timestamptz NOT NULL DEFAULT now()
);

-- One row: what this database is. The epoch is renewed when it is restored or begun anew, which
-- shows in another incarnation.
CREATE TABLE hub (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch       text        NOT NULL,
    incarnation text        NOT NULL,   -- cluster, timeline and database it was given in
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- The grid tree. Codes: 6 digits district, 12 a secondary grid, 15 a basic (unit) grid.
CREATE TABLE grid_cell (
    code        text        PRIMARY KEY CHECK (code ~ '^([0-9]{6}|[0-9]{12}|[0-9]{15})$'),
    level       smallint    NOT NULL CHECK (level IN (1, 2, 3)),  -- 1 basic, 2 secondary, 3 district
    parent      text        REFERENCES grid_cell,
    name_en     text        NOT NULL,
    name_zh     text        NOT NULL,
    polygon     jsonb       NOT NULL,                             -- GeoJSON geometry
    valid_from  timestamptz NOT NULL DEFAULT '-infinity',
    valid_to    timestamptz NOT NULL DEFAULT 'infinity',
    CHECK (level = CASE length(code) WHEN 6 THEN 3 WHEN 12 THEN 2 ELSE 1 END),
    CHECK ((parent IS NULL) = (level = 3)),
    CHECK (parent IS NULL OR starts_with(code, parent)),
    CHECK (valid_from < valid_to)
);

-- Who sends. An agent belongs to one station; `manifest` is its last birth.
CREATE TABLE agent (
    agent           text        PRIMARY KEY,
    station         text        NOT NULL,
    boot            text,
    online          boolean     NOT NULL DEFAULT false,
    born_at         timestamptz,
    seen_at         timestamptz,
    manifest        jsonb,
    clock_offset_s  double precision,
    first_seen_at   timestamptz NOT NULL DEFAULT now()
);

-- The last word on each camera.
CREATE TABLE stream (
    agent        text        NOT NULL REFERENCES agent,
    stream       text        NOT NULL,
    name         text        NOT NULL DEFAULT '',
    lon          double precision,
    lat          double precision,
    cell         text        REFERENCES grid_cell,
    state        text        NOT NULL DEFAULT 'connecting',
    since        timestamptz NOT NULL DEFAULT now(),
    heard_at     timestamptz,           -- capture time of the heartbeat this was read from
    heard_seq    bigint      NOT NULL DEFAULT 0,  -- its number: clocks jump, numbers do not
    frame_age_s  double precision,
    frame_hash   text        NOT NULL DEFAULT '',
    captured     bigint      NOT NULL DEFAULT 0,
    observed     bigint      NOT NULL DEFAULT 0,
    restarts     bigint      NOT NULL DEFAULT 0,
    detail       text        NOT NULL DEFAULT '',
    retired_at   timestamptz,           -- the agent's manifest no longer names it
    PRIMARY KEY (agent, stream),
    CHECK ((lon IS NULL) = (lat IS NULL))
);

-- Dedupes, finds gaps and is the watermark, in one row for each sequence of records.
CREATE TABLE ledger (
    agent       text           NOT NULL,
    boot        text           NOT NULL,
    lane        text           NOT NULL CHECK (lane IN ('detection', 'evidence', 'reading', 'score', 'health')),
    watermark   bigint         NOT NULL DEFAULT 0 CHECK (watermark >= 0),
    received    int8multirange NOT NULL DEFAULT '{}',  -- beyond the watermark
    lost        int8multirange NOT NULL DEFAULT '{}',  -- declared lost by the edge, and not here
    updated_at  timestamptz    NOT NULL DEFAULT now(),
    closed_at   timestamptz,            -- a later boot was born: complete up to here, unknown after
    PRIMARY KEY (agent, boot, lane)
) WITH (fillfactor = 50);                -- one update for each batch: leave room on the page

-- What could not be taken, with the reason and its bytes; `replayed_at` once it was.
CREATE TABLE quarantine (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at  timestamptz NOT NULL,
    last_at      timestamptz NOT NULL,  -- when it came for the last time
    topic        text        NOT NULL,
    station      text,
    agent        text,
    boot         text,
    lane         text,
    seq          bigint,                -- NULL: no readable identity
    reason       text        NOT NULL,
    payload      bytea       NOT NULL,  -- cut where larger than a message may be
    hash         text        NOT NULL,  -- SHA-256 of the whole payload
    times        bigint      NOT NULL DEFAULT 1,
    replayed_at  timestamptz
);
-- what has no identity is kept once for each (agent, content), and counted
CREATE UNIQUE INDEX quarantine_unidentified ON quarantine (coalesce(agent, ''), hash) WHERE seq IS NULL;
-- the newest first, as they are looked at
CREATE INDEX quarantine_newest ON quarantine (last_at DESC);

-- Every change of every episode as it was told, append only; the ledger keeps doubles out.
CREATE TABLE detection_change (
    agent         text        NOT NULL,
    boot          text        NOT NULL,
    seq           bigint      NOT NULL,
    episode       uuid        NOT NULL,
    revision      integer     NOT NULL,
    phase         text        NOT NULL CHECK (phase IN ('raised', 'updated', 'cleared')),
    captured_at   timestamptz NOT NULL,
    received_at   timestamptz NOT NULL,
    committed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    body          jsonb       NOT NULL
);
CREATE INDEX detection_change_episode ON detection_change (episode);

-- Grid events: the cases of the closed loop, from people and machines alike.
CREATE TABLE grid_event (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number           text        NOT NULL UNIQUE,        -- 410105-20261124-00012
    state            text        NOT NULL CHECK (state IN (
                         'suspected', 'reported', 'verifying', 'filed', 'dispatched', 'disposing',
                         'suspended', 'disposed', 'checking', 'closed', 'rejected', 'merged',
                         'lapsed', 'voided')),
    origin           text        NOT NULL CHECK (origin IN ('machine', 'manual')),
    ever_reported    boolean     NOT NULL,               -- counts in the assessment even if rejected
    category         text        NOT NULL CHECK (category IN (
                         'public_security', 'urban_management', 'fire_safety', 'traffic_safety',
                         'environmental_safety', 'letters_and_visits',
                         'ethnic_and_religious_affairs', 'land_supervision', 'peoples_livelihood')),
    subcategory      text        NOT NULL,
    merge_group      text        NOT NULL,               -- detections of one group may be one event
    severity         text        NOT NULL CHECK (severity IN ('S1', 'S2', 'S3', 'S4')),
    title            text        NOT NULL,
    lon              double precision CHECK (lon BETWEEN -180 AND 180),  -- NULL: a camera without
    lat              double precision CHECK (lat BETWEEN -90 AND 90),    -- a position saw it
    cell             text        REFERENCES grid_cell,   -- as of its time; NULL: outside the district
    occurred_at      timestamptz NOT NULL,               -- first seen
    last_seen_at     timestamptz NOT NULL,
    opened_at        timestamptz NOT NULL,
    decide_by        timestamptz,                        -- confirm or file until
    due_at           timestamptz,                        -- handled until
    scene_cleared_at timestamptz,
    confirmation     text        NOT NULL DEFAULT 'none'
                         CHECK (confirmation IN ('none', 'pending', 'human', 'waived')),
    level            smallint    NOT NULL DEFAULT 1 CHECK (level BETWEEN 1 AND 3),
    urgent           boolean     NOT NULL DEFAULT false,
    supervised       boolean     NOT NULL DEFAULT false,
    exempt           boolean     NOT NULL DEFAULT false, -- an appeal was granted: left out of scores
    forced           boolean     NOT NULL DEFAULT false,
    extension_count  integer     NOT NULL DEFAULT 0 CHECK (extension_count BETWEEN 0 AND 2),
    rework_count     integer     NOT NULL DEFAULT 0 CHECK (rework_count >= 0),
    reopened_count   integer     NOT NULL DEFAULT 0 CHECK (reopened_count >= 0),
    satisfaction     smallint    CHECK (satisfaction BETWEEN 1 AND 5),
    parent           bigint      REFERENCES grid_event,
    responsible_unit text,
    assignee         text,                               -- who verifies or checks it
    filing_condition text,
    filed_at         timestamptz,
    ended_at         timestamptz,
    reject_reason    text,
    test             boolean     NOT NULL DEFAULT false, -- of synthetic detections only
    version          integer     NOT NULL CHECK (version >= 1),  -- entries in its history
    CHECK ((lon IS NULL) = (lat IS NULL)),
    CHECK (parent <> id),
    -- nothing is dispatched or closed that was not filed
    CHECK (state NOT IN ('filed', 'dispatched', 'disposing', 'suspended', 'disposed', 'checking',
                         'closed', 'voided') OR filed_at IS NOT NULL),
    CHECK ((state IN ('closed', 'rejected', 'merged', 'lapsed', 'voided')) = (ended_at IS NOT NULL)),
    CHECK ((state = 'merged') = (parent IS NOT NULL)),
    CHECK (state <> 'rejected' OR reject_reason IS NOT NULL),
    CHECK (state <> 'dispatched' OR responsible_unit IS NOT NULL)
);
-- the operator's queue
CREATE INDEX grid_event_queue ON grid_event (severity, decide_by) WHERE state IN ('suspected', 'reported');
-- correlation looks around a place among the living of one group ...
CREATE INDEX grid_event_live ON grid_event (merge_group, lat, lon) WHERE ended_at IS NULL;
-- ... and for late detections among those that were living then
CREATE INDEX grid_event_ended ON grid_event (merge_group, lat, ended_at) WHERE ended_at IS NOT NULL;
-- what may lapse
CREATE INDEX grid_event_cleared ON grid_event (merge_group, scene_cleared_at)
    WHERE state = 'suspected';
CREATE INDEX grid_event_parent ON grid_event (parent) WHERE parent IS NOT NULL;

-- The last number given on a day of the district: numbers have no race and no gap.
CREATE TABLE grid_event_counter (
    district  text    NOT NULL,
    day       date    NOT NULL,
    last      integer NOT NULL CHECK (last >= 1),
    PRIMARY KEY (district, day)
);

-- Append-only history; `hash` chains each event's entries.
CREATE TABLE grid_event_history (
    event       bigint      NOT NULL REFERENCES grid_event,
    n           integer     NOT NULL CHECK (n >= 1),
    at          timestamptz NOT NULL,
    name        text        NOT NULL,                    -- a transition or an act of the lifecycle
    from_state  text,
    to_state    text        NOT NULL,
    role        text        NOT NULL,
    actor       text        NOT NULL,
    reason      text,
    facts       jsonb       NOT NULL DEFAULT '{}',
    prev_hash   text        NOT NULL,
    hash        text        NOT NULL,
    PRIMARY KEY (event, n)
);
CREATE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of grid events is append-only';
END $$;
CREATE TRIGGER grid_event_history_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON grid_event_history
    FOR EACH STATEMENT EXECUTE FUNCTION history_is_append_only();

-- What an operator said of a machine detection, as a label for tuning.
CREATE TABLE verdict (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event      bigint      NOT NULL REFERENCES grid_event,
    verdict    text        NOT NULL CHECK (verdict IN (
                   'confirmed', 'false_alarm', 'real_but_not_actionable', 'real_but_authorised',
                   'duplicate', 'unclear', 'other_kind')),
    reason     text        NOT NULL DEFAULT '',
    note       text        NOT NULL DEFAULT '',
    actor      text        NOT NULL,
    at         timestamptz NOT NULL,
    history_n  integer     NOT NULL,    -- the entry it made
    undone_at  timestamptz              -- taken back, or overtaken by a later verdict
);
CREATE UNIQUE INDEX verdict_standing ON verdict (event) WHERE undone_at IS NULL;

-- Episodes, merged from their changes in whatever order they arrive: the highest revision speaks.
CREATE TABLE detection (
    episode      uuid        PRIMARY KEY,
    station      text        NOT NULL,
    agent        text        NOT NULL,
    boot         text        NOT NULL,
    stream       text        NOT NULL,
    kind         text        NOT NULL,
    label        text        NOT NULL,
    place        text        NOT NULL DEFAULT '',
    phase        text        NOT NULL CHECK (phase IN ('raised', 'updated', 'cleared')),
    revision     integer     NOT NULL,
    started_at   timestamptz NOT NULL,
    raised_at    timestamptz NOT NULL,
    raised_frame bigint      NOT NULL,
    captured_at  timestamptz NOT NULL,   -- of the highest revision
    score        double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
    peak_score   double precision NOT NULL CHECK (peak_score BETWEEN 0 AND 1),
    box          jsonb,                  -- [x, y, w, h], shares of the picture
    lon          double precision,
    lat          double precision,
    cell         text        REFERENCES grid_cell,
    rule         jsonb       NOT NULL,
    scores       jsonb       NOT NULL DEFAULT '[]',
    detector_version text    NOT NULL DEFAULT '',
    event        bigint      REFERENCES grid_event,      -- NULL: of a kind that opens none, or late
    received_at  timestamptz NOT NULL,
    late         boolean     NOT NULL DEFAULT false,     -- came too late to open a grid event
    test         boolean     NOT NULL DEFAULT false
);
CREATE INDEX detection_event ON detection (event);
-- what one camera saw
CREATE INDEX detection_stream ON detection (agent, stream, raised_at DESC);

-- Reports by people that an event answers.
CREATE TABLE report (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event        bigint      NOT NULL REFERENCES grid_event,
    role         text        NOT NULL,
    reporter     text        NOT NULL,
    description  text        NOT NULL,
    lon          double precision NOT NULL,
    lat          double precision NOT NULL,
    reported_at  timestamptz NOT NULL,
    request_key  text        UNIQUE      -- a repeated request is the same report
);
CREATE INDEX report_event ON report (event);

-- Pictures and clips by digest; shown only once complete and verified.
CREATE TABLE evidence (
    digest       text           PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    agent        text,                                   -- NULL: a photo a person handed in
    stream       text,
    media_type   text           NOT NULL,
    total        bigint         NOT NULL CHECK (total > 0),
    received     int8multirange NOT NULL DEFAULT '{}',   -- bytes on disk
    captured_at  timestamptz    NOT NULL,
    complete_at  timestamptz
);
-- What shows a detection; either may come first.
CREATE TABLE detection_evidence (
    episode      uuid        NOT NULL,
    digest       text        NOT NULL,
    role         text        NOT NULL,
    captured_at  timestamptz NOT NULL,
    PRIMARY KEY (episode, digest)
);
CREATE INDEX detection_evidence_digest ON detection_evidence (digest);
-- Photos of people, with the history entry they came with (1: the report that opened it).
CREATE TABLE event_evidence (
    event        bigint      NOT NULL REFERENCES grid_event,
    digest       text        NOT NULL REFERENCES evidence,
    history_n    integer     NOT NULL,
    PRIMARY KEY (event, digest)
);

-- Measured values, append only, no unique index: the ledger keeps doubles out.
CREATE TABLE reading (
    captured_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    agent        text        NOT NULL,
    device       text        NOT NULL,
    metric       text        NOT NULL,
    label        text        NOT NULL,
    place        text        NOT NULL,
    value        double precision NOT NULL,
    unit         text        NOT NULL
);
CREATE INDEX reading_device ON reading (device, metric, captured_at DESC);

-- Roll-ups by minute, hour and day, written with the rows themselves: exact for late data.
CREATE TABLE reading_rollup (
    width    text        NOT NULL CHECK (width IN ('1m', '1h', '1d')),
    bucket   timestamptz NOT NULL,
    agent    text        NOT NULL,
    device   text        NOT NULL,
    metric   text        NOT NULL,
    label    text        NOT NULL,
    place    text        NOT NULL,
    n        bigint      NOT NULL,
    total    double precision NOT NULL,
    low      double precision NOT NULL,
    high     double precision NOT NULL,
    PRIMARY KEY (width, bucket, agent, device, metric, label, place)
);

-- Recorded scores, a block for each subject and minute: what a threshold sweep replays.
CREATE TABLE score_block (
    started_at   timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    agent        text        NOT NULL,
    stream       text        NOT NULL,
    kind         text        NOT NULL,
    label        text        NOT NULL,
    place        text        NOT NULL,
    offsets_ms   integer[]   NOT NULL,
    scores       real[]      NOT NULL
);
CREATE INDEX score_block_subject ON score_block (agent, stream, kind, started_at DESC);

-- Heartbeats as they came.
CREATE TABLE health (
    captured_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    agent        text        NOT NULL,
    body         jsonb       NOT NULL
);
CREATE INDEX health_agent ON health (agent, captured_at DESC);

-- Parameter versions an engineer set; each is published as a retained command.
CREATE TABLE command (
    agent         text        NOT NULL REFERENCES agent,
    version       bigint      NOT NULL CHECK (version >= 1),
    issued_at     timestamptz NOT NULL,
    issued_by     text        NOT NULL,
    note          text        NOT NULL DEFAULT '',
    parameters    jsonb       NOT NULL,
    published_at  timestamptz,
    answered_at   timestamptz,           -- the agent reported it in force, or refused parts of it
    errors        jsonb       NOT NULL DEFAULT '[]',
    PRIMARY KEY (agent, version)
);
CREATE INDEX command_unpublished ON command (agent) WHERE published_at IS NULL;

INSERT INTO schema_version (version) VALUES (1);
