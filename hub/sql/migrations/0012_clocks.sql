-- Clocks of grid events, and what holds state and history together.

-- Kept by the services in the transaction of each step; `gridwarden hub recompute-deadlines` makes
-- them anew from the history. due_at, which was never filled, is the end of the present stage.
ALTER TABLE grid_event
    ADD COLUMN close_by      timestamptz,  -- the end of the whole case's time
    ADD COLUMN next_rung_at  timestamptz,  -- when the ladder of the present stage has a rung to climb
    ADD COLUMN state_ends_at timestamptz,  -- when a rule ends the state: a hang, a verification
    ADD COLUMN sealed        integer NOT NULL DEFAULT 0;  -- history entries under a checkpoint
-- what the timers look for
CREATE INDEX grid_event_rung ON grid_event (next_rung_at) WHERE next_rung_at IS NOT NULL;
CREATE INDEX grid_event_state_ends ON grid_event (state_ends_at) WHERE state_ends_at IS NOT NULL;
CREATE INDEX grid_event_unsealed ON grid_event (id) WHERE version > sealed;

-- With which calendar and limits the columns above were computed last.
CREATE TABLE clock_rules (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    fingerprint text        NOT NULL,
    since       timestamptz NOT NULL
);

-- A state of a grid event changes only together with the history entry that tells it. Checked as
-- the transaction commits; each change of the row is one entry.
CREATE FUNCTION grid_event_has_its_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.version = NEW.version AND OLD.state = NEW.state THEN
        RETURN NULL;
    END IF;
    IF NEW.version <> (CASE TG_OP WHEN 'INSERT' THEN 0 ELSE OLD.version END) + 1
       OR NOT EXISTS (SELECT FROM grid_event_history h
                      WHERE h.event = NEW.id AND h.n = NEW.version AND h.to_state = NEW.state
                        AND h.from_state IS NOT DISTINCT FROM
                            CASE TG_OP WHEN 'INSERT' THEN NULL ELSE OLD.state END) THEN
        RAISE EXCEPTION 'grid event % became % without the history entry that tells it',
            NEW.number, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER grid_event_has_its_history
    AFTER INSERT OR UPDATE OF state, version ON grid_event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION grid_event_has_its_history();
-- ... and the other way round: no entry without the change it tells.
CREATE FUNCTION history_has_its_grid_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM grid_event e WHERE e.id = NEW.event AND e.version >= NEW.n) THEN
        RAISE EXCEPTION 'history entry % of grid event % tells of nothing that happened',
            NEW.n, NEW.event USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER history_has_its_grid_event
    AFTER INSERT ON grid_event_history
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION history_has_its_grid_event();

-- A checkpoint seals the heads of all histories: `hash` covers the heads that changed since the
-- one before, and that one's hash. An event that is gone is missed by the checkpoint that has it.
CREATE TABLE history_checkpoint (
    id        bigint      PRIMARY KEY CHECK (id >= 1),
    at        timestamptz NOT NULL,
    heads     integer     NOT NULL CHECK (heads >= 1),  -- sealed by this one
    prev_hash text        NOT NULL,
    hash      text        NOT NULL
);
CREATE TABLE history_head (
    checkpoint bigint  NOT NULL REFERENCES history_checkpoint,
    event      bigint  NOT NULL,
    number     text    NOT NULL,
    n          integer NOT NULL CHECK (n >= 1),
    hash       text    NOT NULL,
    PRIMARY KEY (checkpoint, event)
);
CREATE FUNCTION checkpoints_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'checkpoints of the history are append-only';
END $$;
CREATE TRIGGER history_checkpoint_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON history_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_append_only();
CREATE TRIGGER history_head_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON history_head
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_append_only();

INSERT INTO schema_version (version) VALUES (12);
