-- Intents and what became of them, the words that are kept, and the counter behind every change.
CREATE TABLE entries (
    id TEXT PRIMARY KEY, api TEXT NOT NULL, principal TEXT NOT NULL, kind TEXT NOT NULL,
    fingerprint TEXT NOT NULL, body TEXT NOT NULL, prompt TEXT NOT NULL, model TEXT NOT NULL,
    mode TEXT, aspect_ratio TEXT, extends TEXT, credits INTEGER NOT NULL, estimated INTEGER NOT NULL,
    upstream_id TEXT, status TEXT NOT NULL, upstream_status TEXT, progress REAL, video_urls TEXT NOT NULL,
    resolution TEXT, error_code TEXT, error_message TEXT, charged TEXT NOT NULL, retry_after REAL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL, completed_at REAL, sender TEXT, deadline REAL,
    next_poll_at REAL NOT NULL, polls INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX entries_upstream ON entries (api, upstream_id) WHERE upstream_id IS NOT NULL;
CREATE INDEX entries_newest ON entries (principal, created_at DESC, id DESC);
CREATE INDEX entries_open ON entries (status, next_poll_at);
CREATE INDEX entries_seq ON entries (seq);
CREATE INDEX entries_fingerprint ON entries (fingerprint);
CREATE TABLE words (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE counter (seq INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (0);
