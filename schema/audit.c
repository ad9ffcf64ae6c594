#include "schema/audit.h"

#include <stdbool.h>
#include <string.h>

#include "schema/log.h"
#include "schema/statement.h"
#include "schema/store.h"

#define SAYING_MAX 1024 /* of a line of SQLite's own check */

/* Within such a line: a page was not looked at, as there was no memory for it
 * (SQLITE_NOMEM). That says nothing about the database. */
#define NO_MEMORY "error code=7"

int
audit_structure(struct store *store)
{
	struct statement *st = statement_start(store, STMT_INTEGRITY);
	char saying[SAYING_MAX];
	int mistakes = 0;
	bool looked = true;
	int rc;

	while ((rc = statement_step(st)) == 1) {
		if (statement_text(st, 0, saying, sizeof(saying)) == -1 ||
		    strcmp(saying, "ok") == 0)
			continue;
		log_error("database: %s", saying);
		mistakes++;
		looked = looked && strstr(saying, NO_MEMORY) == NULL;
	}
	return rc == -1 || !looked ? -1 : mistakes;
}

static int
check_usage(struct store *store)
{
	struct statement *st = statement_start(store, STMT_WRONG_USAGE);
	char owner[STORE_OWNER_MAX + 1];
	char purpose[SAYING_MAX];
	int mistakes = 0;
	int rc;

	while ((rc = statement_step(st)) == 1) {
		if (statement_text(st, 0, owner, sizeof(owner)) == -1 ||
		    statement_text(st, 1, purpose, sizeof(purpose)) == -1)
			continue; /* the next step fails */
		log_warn("usage of %s (%s) is not what its slots add up to",
		    owner, purpose);
		mistakes++;
	}
	return rc == -1 ? -1 : mistakes;
}

static int
check_total(struct store *store)
{
	struct statement *st = statement_start(store, STMT_WRONG_TOTAL);
	int rc = statement_step(st);
	int mistakes = rc == 1 ? (int)statement_int(st, 0) : 0;

	statement_end(st);
	if (rc == -1)
		return -1;
	if (mistakes > 0)
		log_warn("the total usage is not what the slots add up to");
	return mistakes;
}

int
audit_counters(struct store *store)
{
	int usage = check_usage(store);
	int total = check_total(store);

	return usage == -1 || total == -1 ? -1 : usage + total;
}

int
audit_recount(struct store *store)
{
	if (statement_run(statement_start(store, STMT_CLEAR_USAGE)) == -1 ||
	    statement_run(statement_start(store, STMT_REPAIR_USAGE)) == -1 ||
	    statement_run(statement_start(store, STMT_REPAIR_TOTAL)) == -1)
		return -1;
	log_info("all usage was counted anew");
	return 1;
}
