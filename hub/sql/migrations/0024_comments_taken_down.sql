-- A reporter's comment can be taken down; the score stays, and nothing is written in its place.

ALTER TABLE rating ADD COLUMN taken_down_at timestamptz;
ALTER TABLE rating ADD CHECK (taken_down_at IS NULL OR comment = '');

INSERT INTO schema_version (version) VALUES (24);
