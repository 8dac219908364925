-- Public alerts in the order they were issued: two may be sent in one second.
ALTER TABLE cap_alert ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE;

INSERT INTO schema_version (version) VALUES (14);
