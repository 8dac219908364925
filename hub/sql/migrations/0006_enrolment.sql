-- Who may send: an agent's station and its credentials at the broker.

-- One row for each name that was ever enrolled; it stays when the agent is revoked, so that the
-- name is refused with its reason. As soon as there is a row, strangers are refused.
CREATE TABLE enrolment (
    agent          text        PRIMARY KEY,
    station        text        NOT NULL,
    credential     text        NOT NULL CHECK (credential IN ('password', 'certificate')),
    password_hash  text,                          -- as Mosquitto keeps it; gone when revoked
    serial         text        UNIQUE,            -- of the certificate in force, hexadecimal
    enrolled_at    timestamptz NOT NULL,
    issued_at      timestamptz NOT NULL,          -- of the credential in force
    expires_at     timestamptz,                   -- of the certificate in force
    revoked_at     timestamptz,
    CHECK ((password_hash IS NOT NULL) = (credential = 'password' AND revoked_at IS NULL)),
    CHECK ((serial IS NOT NULL) = (credential = 'certificate')),
    CHECK ((serial IS NULL) = (expires_at IS NULL))
);

-- Certificates that are not to be believed though they have not expired: the broker's list.
CREATE TABLE revoked_certificate (
    serial      text        PRIMARY KEY,
    agent       text        NOT NULL REFERENCES enrolment,
    revoked_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);

INSERT INTO schema_version (version) VALUES (6);
