-- What was refused can be taken after all, what floods is counted, and what an agent's earlier run
-- left open is known to be out of sight.

ALTER TABLE quarantine
    -- sender: what came contradicts the contract; hub: our own code failed by it
    ADD COLUMN fault      text    NOT NULL DEFAULT 'sender' CHECK (fault IN ('sender', 'hub')),
    -- the ledger has its number as received, so a replay goes round the ledger, not through it
    ADD COLUMN counted    boolean NOT NULL DEFAULT false,
    ADD COLUMN chunk      bytea   NOT NULL DEFAULT '',   -- the bytes that a record of evidence carries
    -- waiting -> settled, once and for all: stored, here already, or given up by somebody
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,
    ADD COLUMN outcome    text    CHECK (outcome IN ('stored', 'here_already', 'given_up')),
    ADD COLUMN note       text    NOT NULL DEFAULT '',
    ADD CHECK ((settled_at IS NULL) = (outcome IS NULL) AND (settled_at IS NULL) = (settled_by IS NULL));
UPDATE quarantine SET counted = seq IS NOT NULL, settled_at = replayed_at,
    settled_by = CASE WHEN replayed_at IS NOT NULL THEN 'unknown' END,
    outcome = CASE WHEN replayed_at IS NOT NULL THEN 'stored' END;
ALTER TABLE quarantine DROP COLUMN replayed_at;
ALTER TABLE quarantine ADD CHECK (NOT counted OR seq IS NOT NULL);
DROP INDEX quarantine_unidentified;
-- what the ledger does not count comes again and again: kept once for each (agent, content)
CREATE UNIQUE INDEX quarantine_once ON quarantine (coalesce(agent, ''), hash)
    WHERE NOT counted AND settled_at IS NULL;
-- what waits, the newest first
CREATE INDEX quarantine_waiting ON quarantine (id DESC) WHERE settled_at IS NULL;
-- how much of a lane stands here instead of in its table
CREATE INDEX quarantine_lane ON quarantine (agent, boot, lane)
    WHERE counted AND outcome IS DISTINCT FROM 'stored';

-- Records beyond the limit of their device: acknowledged, thrown away, counted. One row for each
-- device, boot and lane; device '' stands for all of the lane, lane '' for messages that could not
-- be read.
CREATE TABLE discarded (
    agent      text        NOT NULL,
    boot       text        NOT NULL,
    lane       text        NOT NULL,
    device     text        NOT NULL,
    n          bigint      NOT NULL CHECK (n > 0),
    per_minute bigint      NOT NULL,     -- the limit that was in force
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (agent, boot, lane, device)
);
-- who floods now
CREATE INDEX discarded_last ON discarded (last_at DESC);

-- The first number of the detection lane that the present run of the agent gave, as its birth says.
ALTER TABLE agent ADD COLUMN first_detection bigint;

ALTER TABLE detection
    ADD COLUMN seq           bigint NOT NULL DEFAULT 0,  -- of its latest change within `boot`
    -- The run of the agent that told of it is over, or its camera is no more: nobody will clear it.
    -- Taken back by any later word on it.
    ADD COLUMN lost_sight_at timestamptz;
-- what a birth may end
CREATE INDEX detection_open ON detection (agent) WHERE phase <> 'cleared' AND lost_sight_at IS NULL;

INSERT INTO schema_version (version) VALUES (3);
