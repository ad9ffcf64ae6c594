#include "schema/slot.h"

#include "schema/log.h"
#include "schema/statement.h"
#include "schema/store.h"

#define PURPOSE_NAME_MAX 32

/* As SLOT_COLUMNS in statement.c has them. */
enum column {
	COLUMN_ID,
	COLUMN_TOKEN,
	COLUMN_SECRET,
	COLUMN_OWNER,
	COLUMN_PURPOSE,
	COLUMN_FILE_NAME,
	COLUMN_CONTENT_TYPE,
	COLUMN_SIZE,
	COLUMN_ISSUED_AT,
	COLUMN_PUT_EXPIRES_AT,
	COLUMN_PUT_ENDS_AT,
	COLUMN_STORED_AT,
	COLUMN_EXPIRES_AT,
	COLUMN_SHA256
};

#define READ_TEXT(st, column, member) \
	statement_text((st), (column), (member), sizeof(member))

static int
read_texts(struct statement *st, struct slot *slot)
{
	char purpose[PURPOSE_NAME_MAX];

	if (READ_TEXT(st, COLUMN_TOKEN, slot->token) == -1 ||
	    READ_TEXT(st, COLUMN_SECRET, slot->secret) == -1 ||
	    READ_TEXT(st, COLUMN_OWNER, slot->owner) == -1 ||
	    READ_TEXT(st, COLUMN_PURPOSE, purpose) == -1 ||
	    READ_TEXT(st, COLUMN_FILE_NAME, slot->file_name) == -1 ||
	    READ_TEXT(st, COLUMN_CONTENT_TYPE, slot->content_type) == -1)
		return -1;
	if (purpose_parse(purpose, &slot->purpose) != 1) {
		log_error("a slot has the unknown purpose %s", purpose);
		return -1;
	}
	return 1;
}

static int
read_row(struct statement *st, struct slot *slot)
{
	slot->id = statement_int(st, COLUMN_ID);
	slot->size = statement_int(st, COLUMN_SIZE);
	slot->issued_at = statement_int(st, COLUMN_ISSUED_AT);
	slot->put_expires_at = statement_int(st, COLUMN_PUT_EXPIRES_AT);
	slot->put_ends_at = statement_int(st, COLUMN_PUT_ENDS_AT);
	slot->stored_at = statement_int(st, COLUMN_STORED_AT);
	slot->expires_at = statement_time(st, COLUMN_EXPIRES_AT);
	if (read_texts(st, slot) == -1)
		return -1;
	int rc = statement_blob(
	    st, COLUMN_SHA256, slot->sha256, sizeof(slot->sha256));
	slot->digested = rc == 1;
	return rc == -1 ? -1 : 1;
}

int
slot_next(struct statement *st, struct slot *slot)
{
	int rc = statement_step(st);

	if (rc == 1 && read_row(st, slot) == -1) {
		statement_end(st);
		return -1;
	}
	return rc;
}

int
slot_fetch(struct statement *st, struct slot *slots, int max)
{
	int count = 0;
	int rc = 0;

	while (count < max && (rc = slot_next(st, &slots[count])) == 1)
		count++;
	statement_end(st);
	return rc == -1 ? -1 : count;
}

int
slot_delete(struct store *store, int64_t id)
{
	struct statement *st = statement_start(store, STMT_DELETE);

	statement_bind_int(st, ":id", id);
	return statement_run(st);
}
