-- +goose Up
-- Times are microseconds since 1970 in UTC, 0 is no time; spans are milliseconds.
CREATE TABLE agents (
    number   TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    pin_hash TEXT NOT NULL DEFAULT ''
);
CREATE TABLE agent_queues (
    agent   TEXT NOT NULL REFERENCES agents (number) ON DELETE CASCADE,
    queue   TEXT NOT NULL,
    penalty BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (agent, queue)
);
CREATE TABLE phones (
    device      TEXT PRIMARY KEY,
    label       TEXT NOT NULL,
    secret_hash TEXT NOT NULL
);
CREATE TABLE supervisors (
    name          TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL
);
CREATE TABLE sessions (
    token_hash TEXT PRIMARY KEY,
    supervisor TEXT NOT NULL REFERENCES supervisors (name) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);
-- Tries of names that do not exist are counted too: the answer must not tell who exists.
CREATE TABLE tries (
    who          TEXT PRIMARY KEY,
    failed       BIGINT NOT NULL,
    locks        BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    last_at      BIGINT NOT NULL
);
CREATE TABLE sign_ins (
    device   TEXT PRIMARY KEY,
    agent    TEXT NOT NULL UNIQUE REFERENCES agents (number) ON DELETE CASCADE,
    since_at BIGINT NOT NULL
);
CREATE TABLE outcomes (
    id        TEXT PRIMARY KEY,
    revision  BIGINT NOT NULL,
    agent     TEXT NOT NULL,
    queue     TEXT NOT NULL,
    tenant    TEXT NOT NULL,
    line      TEXT NOT NULL,
    topic     TEXT NOT NULL,
    office    TEXT NOT NULL,
    result    BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    talked_ms BIGINT NOT NULL,
    wrapup_ms BIGINT NOT NULL
);
CREATE INDEX outcomes_at ON outcomes (at);
CREATE INDEX outcomes_agent ON outcomes (agent, at);
CREATE TABLE messages (
    id       TEXT PRIMARY KEY,
    agent    TEXT NOT NULL,
    tenant   TEXT NOT NULL,
    line     TEXT NOT NULL,
    topic    TEXT NOT NULL,
    office   TEXT NOT NULL,
    callback TEXT NOT NULL,
    name     TEXT NOT NULL,
    at       BIGINT NOT NULL,
    due_at   BIGINT NOT NULL,
    done_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX messages_open ON messages (done_at, due_at);
