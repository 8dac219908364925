-- What became of each finished case, so that a month is assessed without reading its histories again.
-- All of it can be computed anew from the histories: nothing is lost where these two are emptied.
CREATE TABLE case_fact (
    event   bigint      PRIMARY KEY REFERENCES grid_event,
    n       integer     NOT NULL CHECK (n >= 1),    -- history entries it was computed from
    rules   text        NOT NULL,                   -- fingerprint of calendar, limits and formulas
    last_at timestamptz NOT NULL,                   -- of those entries, the latest
    span    tstzrange   NOT NULL,                   -- periods that may count it: sight to last deadline
    facts   bytea       NOT NULL                    -- hub.domain.case_facts.CaseFacts as msgpack
);
-- the cases of a period
CREATE INDEX case_fact_span ON case_fact USING gist (span);

-- Finished cases whose facts are still to be computed: a queue that a timer empties.
CREATE TABLE case_pending (
    event bigint PRIMARY KEY REFERENCES grid_event
);

-- Whatever moved an event that is over, its facts are others now.
CREATE FUNCTION note_finished_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO case_pending (event) VALUES (NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER grid_event_finished AFTER INSERT OR UPDATE OF version ON grid_event
    FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL AND NOT NEW.test)
    EXECUTE FUNCTION note_finished_case();

INSERT INTO case_pending (event) SELECT id FROM grid_event WHERE ended_at IS NOT NULL AND NOT test;

INSERT INTO schema_version (version) VALUES (18);
