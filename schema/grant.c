#include "schema/grant.h"

#include <sqlite3.h>
#include <string.h>

#include "schema/limits.h"
#include "schema/quota.h"
#include "schema/statement.h"
#include "schema/store.h"

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A later point in time; never later than never. Neither is negative. */
static int64_t
after(int64_t when, int64_t seconds)
{
	return seconds > UNITS_NEVER - when ? UNITS_NEVER : when + seconds;
}

static int
insert_slot(struct store *store, const struct grant_request *request,
    struct grant_result *result)
{
	const int64_t expires_at = least(request->expire_before,
	    after(request->now, request->limits->retention));
	const int64_t put_expires_at = after(request->now, request->put_window);
	const int64_t put_ends_at =
	    after(put_expires_at, request->upload_timeout);
	struct statement *st = statement_start(store, STMT_INSERT);

	statement_bind_text(st, ":token", result->token);
	statement_bind_text(st, ":secret", result->secret);
	statement_bind_text(st, ":owner", request->owner);
	statement_bind_text(st, ":purpose", purpose_name(request->purpose));
	statement_bind_text(st, ":file_name", request->file_name);
	statement_bind_text(st, ":content_type", request->content_type);
	statement_bind_int(st, ":size", request->size);
	statement_bind_int(st, ":issued_at", request->now);
	/* What expires sooner than a PUT could end is not worth a PUT. */
	statement_bind_int(
	    st, ":put_expires_at", least(put_expires_at, expires_at));
	statement_bind_int(st, ":put_ends_at", least(put_ends_at, expires_at));
	statement_bind_time(st, ":expires_at", expires_at);
	if (statement_run(st) == -1)
		return -1;
	result->id = sqlite3_last_insert_rowid(store->db);
	return quota_remember(
	    store, request, result->id, least(put_ends_at, expires_at));
}

int
grant_decide(struct store *store, const struct grant_request *request,
    struct grant_result *result)
{
	int rc = quota_fit(store, request, result);

	if (rc != 1)
		return rc;
	if (token_make(result->token) == -1 || token_make(result->secret) == -1)
		return -1;
	return insert_slot(store, request, result);
}
