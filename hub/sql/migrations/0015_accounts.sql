-- Who may use the hub, and the log of who did and saw what.

-- A person who signs in, or a system that holds tokens; it stays when it is disabled.
CREATE TABLE account (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login          text        NOT NULL CHECK (login <> ''),  -- as it is shown
    login_key      text        NOT NULL UNIQUE,               -- as it is compared: NFKC, case folded
    person         text        REFERENCES person,             -- NULL: a login alone
    role           text        NOT NULL CHECK (role IN (
                       'assistant', 'leader', 'master', 'dispatcher', 'dept', 'supervisor',
                       'citizen', 'monitor')),
    cells          text[]      NOT NULL DEFAULT '{}',         -- subtrees; empty: the whole district
    unit           text,
    password_hash  text,                                      -- Argon2id; NULL: a system, which has tokens
    created_at     timestamptz NOT NULL,
    created_by     text        NOT NULL,
    password_at    timestamptz,                               -- when it was set
    disabled_at    timestamptz,
    CHECK ((password_hash IS NULL) = (password_at IS NULL))
);
CREATE UNIQUE INDEX account_person ON account (person) WHERE disabled_at IS NULL;

-- Somebody signed in with one browser. The browser holds the token, the database its SHA-256.
CREATE TABLE account_session (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account    bigint      NOT NULL REFERENCES account,
    token_hash text        NOT NULL UNIQUE,
    begun_at   timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,    -- to the minute
    expires_at timestamptz NOT NULL,    -- however much it is used
    ended_at   timestamptz,             -- signed out, here or everywhere
    address    text        NOT NULL,    -- from where it was begun
    browser    text        NOT NULL
);
CREATE INDEX account_session_account ON account_session (account) WHERE ended_at IS NULL;

-- A link that signs somebody in once, soon.
CREATE TABLE sign_in_link (
    token_hash text        PRIMARY KEY,
    account    bigint      NOT NULL REFERENCES account,
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

-- Every try to sign in with a password, for the limits; old ones are deleted.
CREATE TABLE sign_in_try (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    login_key text        NOT NULL,     -- what was typed, whether there is such an account or not
    net       text        NOT NULL,     -- the address; of IPv6 the /64
    succeeded boolean     NOT NULL DEFAULT false
);
CREATE INDEX sign_in_try_login ON sign_in_try (login_key, at);
CREATE INDEX sign_in_try_net ON sign_in_try (net, at);

-- What a program sends instead of a session. The program holds the token, the database its SHA-256.
CREATE TABLE api_token (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account        bigint      NOT NULL REFERENCES account,
    name           text        NOT NULL CHECK (name <> ''),
    token_hash     text        NOT NULL UNIQUE,
    role           text        NOT NULL,   -- the account's, or monitor
    cells          text[]      NOT NULL DEFAULT '{}',   -- within the account's; empty: the account's
    created_at     timestamptz NOT NULL,
    created_by     text        NOT NULL,
    expires_at     timestamptz NOT NULL,
    last_used_at   timestamptz,             -- to the minute
    last_used_from text,
    revoked_at     timestamptz
);
CREATE INDEX api_token_account ON api_token (account);

-- Who did or saw what, when, from where. A row is written before the act; what came of it is added
-- once. Without an outcome: the hub died meanwhile, and the history tells whether it was done.
CREATE TABLE audit (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL,
    actor    text        NOT NULL,      -- the person's code, else the login
    role     text        NOT NULL,
    login    text        NOT NULL,      -- the account; '': none, as of a command
    via      text        NOT NULL CHECK (via IN ('password', 'link', 'session', 'token', 'command')),
    address  text        NOT NULL,      -- '' of a command
    action   text        NOT NULL,
    subject  text        NOT NULL,      -- number of an event, digest, agent, login
    detail   text        NOT NULL DEFAULT '',
    outcome  text        CHECK (outcome IN ('done', 'refused', 'failed'))
);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_subject ON audit (subject, id);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.outcome IS NULL AND NEW.outcome IS NOT NULL
       AND (NEW.id, NEW.at, NEW.actor, NEW.role, NEW.login, NEW.via, NEW.address, NEW.action,
            NEW.subject)
           IS NOT DISTINCT FROM
           (OLD.id, OLD.at, OLD.actor, OLD.role, OLD.login, OLD.via, OLD.address, OLD.action,
            OLD.subject) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

INSERT INTO schema_version (version) VALUES (15);
