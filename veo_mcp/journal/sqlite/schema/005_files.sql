-- What is known of finished files, which worker handles them, and the prices that were quoted before a request.
ALTER TABLE entries ADD COLUMN duration_seconds REAL;
ALTER TABLE entries ADD COLUMN width INTEGER;
ALTER TABLE entries ADD COLUMN height INTEGER;
ALTER TABLE entries ADD COLUMN save_wanted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN saved_to TEXT;
ALTER TABLE entries ADD COLUMN film_saved_to TEXT;
ALTER TABLE entries ADD COLUMN file_error TEXT;
ALTER TABLE entries ADD COLUMN file_due_at REAL;
ALTER TABLE entries ADD COLUMN file_tries INTEGER NOT NULL DEFAULT 0;
-- A lease of its own: the file is dealt with after the last question about the task.
ALTER TABLE entries ADD COLUMN file_leased_by TEXT;
ALTER TABLE entries ADD COLUMN file_leased_until REAL NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN file_fence INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_file_due ON entries (api, file_due_at) WHERE file_due_at IS NOT NULL;
CREATE INDEX entries_ended ON entries (api, principal, fingerprint, created_at) WHERE status IN ('completed', 'failed');
CREATE TABLE quotes (
    api TEXT NOT NULL, principal TEXT NOT NULL, fingerprint TEXT NOT NULL, credits INTEGER NOT NULL,
    quoted_at REAL NOT NULL, PRIMARY KEY (api, principal, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX quotes_by_age ON quotes (quoted_at);
CREATE INDEX entries_file_leased ON entries (file_leased_by) WHERE file_leased_by IS NOT NULL;
