-- What grows without end is found by an index, and notices can be forgotten.

-- The audit log is kept for ever: asked by day, by action and by login as well.
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_login ON audit (login, id);

-- Unread ones are counted on every page, by person, role and unit alike.
CREATE INDEX notice_unread_role ON notice (role) WHERE read_at IS NULL AND role IS NOT NULL;
CREATE INDEX notice_unread_unit ON notice (unit) WHERE read_at IS NULL AND unit IS NOT NULL;

-- What is old enough to be forgotten, and what a digest folds.
CREATE INDEX notice_at ON notice (at);
CREATE INDEX mail_ended ON mail (ended_at) WHERE ended_at IS NOT NULL AND folded_into IS NULL;
CREATE INDEX mail_folded ON mail (folded_into) WHERE folded_into IS NOT NULL;

INSERT INTO schema_version (version) VALUES (20);
