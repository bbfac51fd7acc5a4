-- +goose Up
-- Links that open the wallboard. Of what stands in a link only its SHA-256 is kept.
CREATE TABLE links (
    hash    TEXT PRIMARY KEY,
    label   TEXT NOT NULL,
    owner   TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
