-- When the next question to the API may be asked, by whichever server on this journal.
CREATE TABLE veo_turns (
    api text COLLATE "C" NOT NULL, principal text COLLATE "C" NOT NULL, next_at double precision NOT NULL,
    PRIMARY KEY (api, principal)
);

-- Every credit that moved: who, what, how much, which entry; no prompt and no key. `was` and `charged` are an entry's
-- `charged` before and after, '' before there was one.
CREATE TABLE veo_movements (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, moved_at double precision NOT NULL,
    entry_id text COLLATE "C" NOT NULL, api text COLLATE "C" NOT NULL, principal text COLLATE "C" NOT NULL,
    kind text NOT NULL, mode text, credits bigint NOT NULL, estimated boolean NOT NULL, was text NOT NULL,
    charged text NOT NULL
);
CREATE INDEX veo_movements_newest ON veo_movements (moved_at, number);

-- Kept by the database itself, in the transaction of the change: no server can forget it, an older one neither.
CREATE FUNCTION veo_keep_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (OLD.charged, OLD.credits) IS DISTINCT FROM (NEW.charged, NEW.credits) THEN
        INSERT INTO veo_movements (moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged) VALUES
            (NEW.updated_at, NEW.id, NEW.api, NEW.principal, NEW.kind, NEW.mode, NEW.credits, NEW.estimated,
            CASE WHEN TG_OP = 'INSERT' THEN '' ELSE OLD.charged END, NEW.charged);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER veo_entries_keep_movements AFTER INSERT OR UPDATE OF charged, credits
    ON veo_entries FOR EACH ROW EXECUTE FUNCTION veo_keep_movements();

-- What was there before this table: as it stood then.
INSERT INTO veo_movements (moved_at, entry_id, api, principal, kind, mode, credits, estimated, was, charged)
    SELECT created_at, id, api, principal, kind, mode, credits, estimated, '', charged FROM veo_entries ORDER BY created_seq;
