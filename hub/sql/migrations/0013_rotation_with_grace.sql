-- Credentials given anew may leave those before in force for a while, so that no agent is shut out
-- before it has the new ones. Mosquitto knows one password a name: the new one then gets a name of
-- its own. A former certificate stands among the revoked ones, from the end of its time on.
ALTER TABLE enrolment
    ADD login           text UNIQUE,        -- at the broker; NULL: the agent's name
    ADD former_login    text,               -- of the password before, until former_until
    ADD former_hash     text,
    ADD former_until    timestamptz,        -- NULL: nothing before is in force
    ADD CHECK ((former_login IS NULL) = (former_hash IS NULL)),
    ADD CHECK (former_until IS NOT NULL OR former_login IS NULL);

INSERT INTO schema_version (version) VALUES (13);
