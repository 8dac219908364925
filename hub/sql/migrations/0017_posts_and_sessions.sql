-- Somebody of several posts acts in one of them at a time: the session says in which.
ALTER TABLE account_session
    ADD role text,  -- of the posts of the account's person; NULL: the account's own
    ADD unit text,  -- of that post
    ADD CHECK (role IS NOT NULL OR unit IS NULL);

INSERT INTO schema_version (version) VALUES (17);
