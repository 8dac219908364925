-- Who is sent to look, which units help, and what the camera sees once it was dealt with.

-- Somebody goes and looks: before filing whether it is so (verify), after disposal whether it is done
-- (check). One is open for an event at a time; it is opened and ended by the steps of its history.
CREATE TABLE task (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event       bigint      NOT NULL REFERENCES grid_event,
    kind        text        NOT NULL CHECK (kind IN ('verify', 'check')),
    person      text,                   -- staff number, as histories name people; NULL: nobody yet
    opened_n    integer     NOT NULL,   -- the entry of the history that opened it
    opened_at   timestamptz NOT NULL,
    due_at      timestamptz,            -- by the clocks; NULL: no limit
    ended_at    timestamptz,
    ended_n     integer,                -- the entry that ended it; its photos are those of the answer
    outcome     text        CHECK (outcome IN ('exists', 'absent', 'passed', 'failed', 'expired', 'overtaken')),
    answered_by text,
    found       text        CHECK (found IN ('passed')),  -- by who may not close it: a leader decides
    found_by    text,
    found_at    timestamptz,
    CHECK ((ended_at IS NULL) = (outcome IS NULL) AND (ended_at IS NULL) = (ended_n IS NULL)),
    CHECK ((found IS NULL) = (found_by IS NULL) AND (found IS NULL) = (found_at IS NULL))
);
CREATE UNIQUE INDEX task_open ON task (event) WHERE ended_at IS NULL;
CREATE INDEX task_person ON task (person, id DESC);
CREATE INDEX task_event ON task (event, id);

-- Units that help the responsible one, each with its own part.
CREATE TABLE cohandler (
    event       bigint      NOT NULL REFERENCES grid_event,
    unit        text        NOT NULL,
    part        text        NOT NULL DEFAULT '',    -- what it is to do
    added_at    timestamptz NOT NULL,
    added_by    text        NOT NULL,
    done_at     timestamptz,
    done_by     text,
    note        text        NOT NULL DEFAULT '',    -- what was done
    PRIMARY KEY (event, unit),
    CHECK ((done_at IS NULL) = (done_by IS NULL))
);
CREATE INDEX cohandler_unit ON cohandler (unit, event);

-- Events whose cameras are asked whether they still see it. next_at: when to look; NULL: no more.
CREATE TABLE camera_look (
    event       bigint      PRIMARY KEY REFERENCES grid_event,
    next_at     timestamptz,
    looked_at   timestamptz,
    outcome     text        CHECK (outcome IN ('clear', 'still_seen', 'cannot_tell')),
    cameras     jsonb       NOT NULL DEFAULT '[]'   -- what each of them says
);
CREATE INDEX camera_look_due ON camera_look (next_at) WHERE next_at IS NOT NULL;

-- what waits to be dispatched by rule, and what a person handles
CREATE INDEX grid_event_filed ON grid_event (filed_at, id) WHERE state = 'filed';
CREATE INDEX grid_event_assignee ON grid_event (assignee, id) WHERE ended_at IS NULL AND assignee IS NOT NULL;
CREATE INDEX grid_event_of_unit ON grid_event (responsible_unit, id)
    WHERE ended_at IS NULL AND responsible_unit IS NOT NULL;

INSERT INTO schema_version (version) VALUES (19);
