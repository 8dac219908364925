-- Evidence whose bytes did not add up. It is asked for at every birth of its agent, and from time to
-- time while that is online, until it comes or is declared lost.
CREATE TABLE evidence_wanted (
    digest      text        PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
    agent       text        NOT NULL REFERENCES agent,
    since       timestamptz NOT NULL,   -- first found broken
    asked_at    timestamptz NOT NULL    -- last asked for
);
CREATE INDEX evidence_wanted_agent ON evidence_wanted (agent);

-- the last daily test of each camera
CREATE INDEX detection_test ON detection (agent, stream, received_at DESC) WHERE test;

INSERT INTO schema_version (version) VALUES (10);
