-- Pictures that were handed to the API through a bucket, until they are taken away again. Written before the upload.
CREATE TABLE veo_uploads (
    address text COLLATE "C" PRIMARY KEY, entry_id text COLLATE "C" NOT NULL, uploaded_at double precision NOT NULL,
    due_at double precision NOT NULL, tries bigint NOT NULL
);
CREATE INDEX veo_uploads_due ON veo_uploads (due_at);
