-- +goose Up
-- Who has proved himself with his PIN at which phone, and on which day last: what a phone tells in an agent's name counts
-- for him only from there. The time of day is not kept.
CREATE TABLE seats (
    device TEXT NOT NULL,
    agent  TEXT NOT NULL REFERENCES agents (number) ON DELETE CASCADE,
    day_at BIGINT NOT NULL,
    PRIMARY KEY (device, agent)
);
INSERT INTO seats (device, agent, day_at) SELECT device, agent, since_at FROM sign_ins;
