-- The putslot database, schema version 1. docs/database.md explains it to
-- administrators, docs/internals.md has the states of a slot.
--
-- Points in time are seconds since 1970 UTC, sizes are bytes. Only functions
-- built into SQLite 3.37 are used, so that the plain sqlite3 shell can read and
-- write everything; triggers keep the counters right whoever writes.

CREATE TABLE slot (
	-- Number for logs and people. Ascends, and is never used again: see
	-- total.last_id. (AUTOINCREMENT would keep a table of its own.)
	id INTEGER PRIMARY KEY,
	-- Stands in both URLs and names the file on disk.
	token TEXT NOT NULL UNIQUE
		CHECK (length(token) = 26 AND token NOT GLOB '*[^a-z2-7]*'),
	-- Stands in the PUT URL alone: who knows it may upload.
	secret TEXT NOT NULL
		CHECK (length(secret) = 26 AND secret NOT GLOB '*[^a-z2-7]*'),
	-- Bare JID of whom the upload belongs to.
	owner TEXT NOT NULL
		CHECK (length(CAST(owner AS BLOB)) BETWEEN 1 AND 2047),
	-- XEP-0363 section 5: decides on limits and retention.
	-- (IN would build a table of the four for each row.)
	purpose TEXT NOT NULL CHECK (
		purpose = 'message' OR purpose = 'profile'
		OR purpose = 'ephemeral' OR purpose = 'permanent'),
	-- As the owner's client named it; never a path.
	file_name TEXT NOT NULL
		CHECK (length(CAST(file_name AS BLOB)) BETWEEN 1 AND 255),
	-- Media type; NULL: the client said none.
	content_type TEXT
		CHECK (length(CAST(content_type AS BLOB)) BETWEEN 1 AND 255),
	-- Bytes, exactly as many as the upload must have.
	size INTEGER NOT NULL CHECK (size > 0),
	-- When the slot was requested.
	issued_at INTEGER NOT NULL CHECK (issued_at >= 0),
	-- A PUT begins before this ...
	put_expires_at INTEGER NOT NULL CHECK (put_expires_at >= issued_at),
	-- ... and is over before this; then the unused slot is removed.
	put_ends_at INTEGER NOT NULL CHECK (put_ends_at >= put_expires_at),
	-- When the upload was complete; NULL: it is still awaited.
	stored_at INTEGER CHECK (stored_at >= 0),
	-- Answered with 404 from here on, then removed; NULL: never.
	expires_at INTEGER CHECK (expires_at >= 0),
	-- SHA-256 of the stored file, 32 bytes; NULL: not computed yet.
	sha256 BLOB CHECK (length(sha256) = 32),
	CHECK (token <> secret),
	CHECK (stored_at IS NOT NULL OR sha256 IS NULL)
) STRICT;

CREATE INDEX slot_owner ON slot (owner, purpose);
CREATE INDEX slot_expires ON slot (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX slot_unused ON slot (put_ends_at) WHERE stored_at IS NULL;

-- What every owner has at present, per purpose. Kept by triggers.
CREATE TABLE usage (
	-- Bare JID.
	owner TEXT NOT NULL,
	-- As in slot.
	purpose TEXT NOT NULL,
	-- Uploads that are there, and their bytes ...
	stored_files INTEGER NOT NULL,
	stored_bytes INTEGER NOT NULL,
	-- ... and slots that await their upload, with the bytes announced.
	reserved_files INTEGER NOT NULL,
	reserved_bytes INTEGER NOT NULL,
	PRIMARY KEY (owner, purpose),
	-- The name is what SQLite says when the check fails.
	CONSTRAINT "usage was wrong, run putslot-cleanup --fsck --repair"
		CHECK (min(stored_files, stored_bytes, reserved_files,
			reserved_bytes) >= 0)
) STRICT, WITHOUT ROWID;

-- The sum of usage, and what else there is one of: one row. Kept by triggers.
CREATE TABLE total (
	-- Holds the table to one row.
	id INTEGER PRIMARY KEY CHECK (id = 1),
	-- As in usage.
	stored_files INTEGER NOT NULL,
	stored_bytes INTEGER NOT NULL,
	reserved_files INTEGER NOT NULL,
	reserved_bytes INTEGER NOT NULL,
	-- The highest id that a slot ever had; the next one is above it.
	last_id INTEGER NOT NULL,
	CONSTRAINT "total was wrong, run putslot-cleanup --fsck --repair"
		CHECK (min(stored_files, stored_bytes, reserved_files,
			reserved_bytes) >= 0)
) STRICT;

INSERT INTO total VALUES (1, 0, 0, 0, 0, 0);

-- Tokens of removed slots whose files may still lie on the disk.
CREATE TABLE doomed (
	-- The token of the slot that was removed.
	token TEXT PRIMARY KEY,
	-- When it was removed.
	doomed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What counts against the limits per window: deleting an upload does not give
-- back its place. Holds nothing about owners without such limits.
CREATE TABLE recent (
	-- The slot, which may be gone by now.
	slot_id INTEGER NOT NULL,
	-- As in slot.
	owner TEXT NOT NULL,
	purpose TEXT NOT NULL,
	size INTEGER NOT NULL,
	-- As in slot: it counts for as long as the window of the day is.
	issued_at INTEGER NOT NULL,
	-- When the window of its own day has passed over it: to be forgotten.
	leaves_at INTEGER NOT NULL,
	-- An unused slot counts no longer than this; NULL: it was used.
	unused_until INTEGER,
	PRIMARY KEY (owner, purpose, slot_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX recent_leaves ON recent (leaves_at);

-- What usage must say: the slots, counted one by one.
CREATE VIEW recount AS
SELECT owner, purpose,
	count(stored_at) AS stored_files,
	sum(iif(stored_at IS NULL, 0, size)) AS stored_bytes,
	count(*) - count(stored_at) AS reserved_files,
	sum(iif(stored_at IS NULL, size, 0)) AS reserved_bytes
FROM slot
GROUP BY owner, purpose;

-- The counters. (stored_at IS NULL) is 1 or 0, and selects by multiplication.

CREATE TRIGGER slot_inserted AFTER INSERT ON slot
BEGIN
	INSERT INTO usage VALUES (new.owner, new.purpose,
		new.stored_at IS NOT NULL,
		new.size * (new.stored_at IS NOT NULL),
		new.stored_at IS NULL,
		new.size * (new.stored_at IS NULL))
	ON CONFLICT DO UPDATE SET
		stored_files = stored_files + excluded.stored_files,
		stored_bytes = stored_bytes + excluded.stored_bytes,
		reserved_files = reserved_files + excluded.reserved_files,
		reserved_bytes = reserved_bytes + excluded.reserved_bytes;
	UPDATE total SET
		stored_files = stored_files + (new.stored_at IS NOT NULL),
		stored_bytes = stored_bytes
			+ new.size * (new.stored_at IS NOT NULL),
		reserved_files = reserved_files + (new.stored_at IS NULL),
		reserved_bytes = reserved_bytes
			+ new.size * (new.stored_at IS NULL),
		last_id = iif(new.id > last_id, new.id, RAISE(ABORT,
			'the id must be above total.last_id, it was used'));
END;

CREATE TRIGGER slot_deleted AFTER DELETE ON slot
BEGIN
	UPDATE usage SET
		stored_files = stored_files - (old.stored_at IS NOT NULL),
		stored_bytes = stored_bytes
			- old.size * (old.stored_at IS NOT NULL),
		reserved_files = reserved_files - (old.stored_at IS NULL),
		reserved_bytes = reserved_bytes
			- old.size * (old.stored_at IS NULL)
	WHERE owner = old.owner AND purpose = old.purpose;
	DELETE FROM usage
	WHERE owner = old.owner AND purpose = old.purpose
		AND max(stored_files, stored_bytes, reserved_files,
			reserved_bytes) = 0;
	UPDATE total SET
		stored_files = stored_files - (old.stored_at IS NOT NULL),
		stored_bytes = stored_bytes
			- old.size * (old.stored_at IS NOT NULL),
		reserved_files = reserved_files - (old.stored_at IS NULL),
		reserved_bytes = reserved_bytes
			- old.size * (old.stored_at IS NULL);
	-- The file must go, too, and outlives the row until it has.
	INSERT OR IGNORE INTO doomed
	VALUES (old.token, CAST(strftime('%s', 'now') AS INTEGER));
	-- A used slot keeps its place in the window, an unused one does not.
	DELETE FROM recent
	WHERE owner = old.owner AND purpose = old.purpose
		AND slot_id = old.id AND old.stored_at IS NULL;
END;

-- The common change, of which each upload makes one: the row stays its owner's.
CREATE TRIGGER slot_updated
AFTER UPDATE OF owner, purpose, size, stored_at ON slot
WHEN new.owner = old.owner AND new.purpose = old.purpose
BEGIN
	UPDATE usage SET
		stored_files = stored_files
			+ (new.stored_at IS NOT NULL)
			- (old.stored_at IS NOT NULL),
		stored_bytes = stored_bytes
			+ new.size * (new.stored_at IS NOT NULL)
			- old.size * (old.stored_at IS NOT NULL),
		reserved_files = reserved_files
			+ (new.stored_at IS NULL)
			- (old.stored_at IS NULL),
		reserved_bytes = reserved_bytes
			+ new.size * (new.stored_at IS NULL)
			- old.size * (old.stored_at IS NULL)
	WHERE owner = new.owner AND purpose = new.purpose;
	-- The window follows its slot while the slot is there.
	UPDATE recent SET size = new.size,
		unused_until = iif(new.stored_at IS NULL, new.put_ends_at, NULL)
	WHERE owner = new.owner AND purpose = new.purpose
		AND slot_id = new.id;
END;

CREATE TRIGGER slot_moved
AFTER UPDATE OF owner, purpose ON slot
WHEN new.owner <> old.owner OR new.purpose <> old.purpose
BEGIN
	UPDATE usage SET
		stored_files = stored_files - (old.stored_at IS NOT NULL),
		stored_bytes = stored_bytes
			- old.size * (old.stored_at IS NOT NULL),
		reserved_files = reserved_files - (old.stored_at IS NULL),
		reserved_bytes = reserved_bytes
			- old.size * (old.stored_at IS NULL)
	WHERE owner = old.owner AND purpose = old.purpose;
	INSERT INTO usage VALUES (new.owner, new.purpose,
		new.stored_at IS NOT NULL,
		new.size * (new.stored_at IS NOT NULL),
		new.stored_at IS NULL,
		new.size * (new.stored_at IS NULL))
	ON CONFLICT DO UPDATE SET
		stored_files = stored_files + excluded.stored_files,
		stored_bytes = stored_bytes + excluded.stored_bytes,
		reserved_files = reserved_files + excluded.reserved_files,
		reserved_bytes = reserved_bytes + excluded.reserved_bytes;
	DELETE FROM usage
	WHERE owner = old.owner AND purpose = old.purpose
		AND max(stored_files, stored_bytes, reserved_files,
			reserved_bytes) = 0;
	UPDATE recent SET owner = new.owner, purpose = new.purpose,
		size = new.size,
		unused_until = iif(new.stored_at IS NULL, new.put_ends_at, NULL)
	WHERE owner = old.owner AND purpose = old.purpose
		AND slot_id = new.id;
END;

CREATE TRIGGER slot_total
AFTER UPDATE OF size, stored_at ON slot
BEGIN
	UPDATE total SET
		stored_files = stored_files
			+ (new.stored_at IS NOT NULL)
			- (old.stored_at IS NOT NULL),
		stored_bytes = stored_bytes
			+ new.size * (new.stored_at IS NOT NULL)
			- old.size * (old.stored_at IS NOT NULL),
		reserved_files = reserved_files
			+ (new.stored_at IS NULL)
			- (old.stored_at IS NULL),
		reserved_bytes = reserved_bytes
			+ new.size * (new.stored_at IS NULL)
			- old.size * (old.stored_at IS NULL);
END;

-- A change that uploads do not make, so that they do not look at it.
CREATE TRIGGER slot_window
AFTER UPDATE OF put_ends_at ON slot WHEN new.stored_at IS NULL
BEGIN
	UPDATE recent SET unused_until = new.put_ends_at
	WHERE owner = new.owner AND purpose = new.purpose
		AND slot_id = new.id;
END;

-- REPLACE would delete the row in the way without running slot_deleted. One that
-- has the same id is in nobody's way: slot_inserted refuses used ids.
CREATE TRIGGER slot_replaced BEFORE INSERT ON slot
WHEN EXISTS (SELECT 1 FROM slot WHERE token = new.token)
BEGIN
	SELECT RAISE(ABORT, 'there is such a slot already: UPDATE it');
END;

CREATE TRIGGER slot_renamed BEFORE UPDATE OF id, token ON slot
WHEN new.id <> old.id OR new.token <> old.token
BEGIN
	SELECT RAISE(ABORT, 'the token names the file and cannot be changed');
END;

-- For people: times as text (UTC), sizes with units, never token or secret.

CREATE VIEW slots AS
SELECT id,
	CASE
	WHEN stored_at IS NULL AND min(put_ends_at,
		ifnull(expires_at, put_ends_at)) <= strftime('%s', 'now') + 0
		THEN 'timed out'
	WHEN stored_at IS NULL THEN 'awaiting upload'
	WHEN expires_at <= strftime('%s', 'now') + 0 THEN 'expired'
	ELSE 'stored'
	END AS state,
	owner, purpose, file_name, content_type,
	CASE
	WHEN size < 1024 THEN printf('%d B', size)
	WHEN size < 1048576 THEN printf('%.1f KiB', size / 1024.0)
	WHEN size < 1073741824 THEN printf('%.1f MiB', size / 1048576.0)
	ELSE printf('%.1f GiB', size / 1073741824.0)
	END AS size,
	datetime(issued_at, 'unixepoch') AS issued,
	datetime(put_expires_at, 'unixepoch') AS put_until,
	datetime(stored_at, 'unixepoch') AS stored,
	ifnull(datetime(expires_at, 'unixepoch'), 'never') AS expires
FROM slot;

CREATE VIEW usages AS
SELECT owner, purpose, stored_files,
	printf('%.1f MiB', stored_bytes / 1048576.0) AS stored_size,
	reserved_files,
	printf('%.1f MiB', reserved_bytes / 1048576.0) AS reserved_size
FROM usage
ORDER BY stored_bytes + reserved_bytes DESC;

-- Uploads that will expire, the next one first.
CREATE VIEW expiring AS
SELECT slots.expires, slots.id, slots.state, slots.owner, slots.purpose,
	slots.file_name, slots.size
FROM slot JOIN slots USING (id)
WHERE slot.expires_at IS NOT NULL AND slot.stored_at IS NOT NULL
ORDER BY slot.expires_at;

-- Slots to which nothing was uploaded, the oldest first.
CREATE VIEW unused AS
SELECT slots.issued, slots.id, slots.state, slots.owner, slots.purpose,
	slots.file_name, slots.size, slots.put_until
FROM slot JOIN slots USING (id)
WHERE slot.stored_at IS NULL
ORDER BY slot.put_ends_at;
