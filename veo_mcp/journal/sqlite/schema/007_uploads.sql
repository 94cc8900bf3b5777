-- Pictures that were handed to the API through a bucket, until they are taken away again. Written before the upload.
CREATE TABLE uploads (
    address TEXT PRIMARY KEY, entry_id TEXT NOT NULL, uploaded_at REAL NOT NULL, due_at REAL NOT NULL,
    tries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_due ON uploads (due_at);
