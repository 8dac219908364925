-- Evidence is kept for a time, held back from deletion where somebody says so, and erased with its
-- digest, who, when and why left behind. What is held cannot be marked erased by anybody.
ALTER TABLE evidence
    ADD last_at    timestamptz NOT NULL DEFAULT now(),  -- when bytes of it last came
    ADD look_at    timestamptz NOT NULL DEFAULT now(),  -- when to look next whether it may go
    ADD erased_at  timestamptz,
    ADD erased_by  text,
    ADD erased_why text,
    ADD gone_at    timestamptz,                         -- its bytes are off the disk
    ADD CHECK (num_nonnulls(erased_at, erased_by, erased_why) IN (0, 3)),
    ADD CHECK (gone_at IS NULL OR erased_at IS NOT NULL);
-- what may be due
CREATE INDEX evidence_look ON evidence (look_at) WHERE erased_at IS NULL;
-- marked erased, bytes still to be removed
CREATE INDEX evidence_going ON evidence (digest) WHERE erased_at IS NOT NULL AND gone_at IS NULL;

-- Legal holds, on all evidence of an event or on one piece; kept after their release.
CREATE TABLE evidence_hold (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event          bigint      REFERENCES grid_event,
    digest         text,
    placed_at      timestamptz NOT NULL,
    placed_by      text        NOT NULL,
    reason         text        NOT NULL CHECK (reason <> ''),
    released_at    timestamptz,
    released_by    text,
    release_reason text        CHECK (release_reason <> ''),
    CHECK (num_nonnulls(event, digest) = 1),
    CHECK (num_nonnulls(released_at, released_by, release_reason) IN (0, 3))
);
-- one standing hold for each
CREATE UNIQUE INDEX evidence_hold_event ON evidence_hold (event)
    WHERE released_at IS NULL AND event IS NOT NULL;
CREATE UNIQUE INDEX evidence_hold_digest ON evidence_hold (digest)
    WHERE released_at IS NULL AND digest IS NOT NULL;

-- The events that a piece of evidence belongs to, with those they were merged into.
CREATE FUNCTION events_of_evidence(wanted text) RETURNS SETOF bigint LANGUAGE sql STABLE AS $$
    WITH RECURSIVE found (event) AS (
        SELECT d.event FROM detection_evidence e JOIN detection d USING (episode)
        WHERE e.digest = wanted AND d.event IS NOT NULL
        UNION
        SELECT p.event FROM event_evidence p WHERE p.digest = wanted
        UNION
        SELECT g.parent FROM found f JOIN grid_event g ON g.id = f.event
        WHERE g.parent IS NOT NULL
    )
    SELECT event FROM found
$$;

CREATE FUNCTION held_evidence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM evidence_hold h
               WHERE h.released_at IS NULL
                 AND (h.digest = OLD.digest
                      OR h.event IN (SELECT events_of_evidence(OLD.digest)))) THEN
        RAISE EXCEPTION 'evidence % is held and cannot be erased', OLD.digest
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evidence_held BEFORE UPDATE OF erased_at ON evidence
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL AND OLD.erased_at IS NULL)
    EXECUTE FUNCTION held_evidence_stays();

INSERT INTO schema_version (version) VALUES (4);
