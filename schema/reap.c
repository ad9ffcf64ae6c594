#include "schema/reap.h"

#include <stdlib.h>
#include <string.h>

#include "schema/log.h"
#include "schema/slot.h"
#include "schema/statement.h"

/* A whole struct slot is sixty times as large. */
struct victim {
	int64_t id;
	char token[TOKEN_LEN + 1];
};

static int
by_token(const void *a, const void *b)
{
	const struct victim *one = a, *other = b;

	return memcmp(one->token, other->token, TOKEN_LEN);
}

/* The number of them, or -1. */
static int
choose(struct statement *st, struct victim *victims, int max,
    store_slot_fn *seen, void *arg)
{
	struct slot slot;
	int count = 0;
	int rc = 0;

	while (count < max && (rc = slot_next(st, &slot)) == 1) {
		victims[count].id = slot.id;
		memcpy(victims[count].token, slot.token, sizeof(slot.token));
		count++;
		seen(arg, &slot);
	}
	statement_end(st);
	return rc == -1 ? -1 : count;
}

static int
delete_all(struct store *store, const struct victim *victims, int count)
{
	for (int i = 0; i < count; i++)
		if (slot_delete(store, victims[i].id) == -1)
			return -1;
	return count;
}

/* Tokens lie at random in their index: taken in its order, they touch each of
 * its pages once, and those of doomed, too. */
int
reap_many(
    struct store *store, int64_t now, int max, store_slot_fn *seen, void *arg)
{
	struct victim *victims = calloc((size_t)max, sizeof(*victims));
	struct statement *st;
	int count;

	if (victims == NULL) {
		log_error("cannot remove slots: out of memory");
		return -1;
	}
	st = statement_start(store, STMT_OVER_SOME);
	statement_bind_int(st, ":now", now);
	statement_bind_int(st, ":max", max);
	count = choose(st, victims, max, seen, arg);
	if (count > 0) {
		qsort(victims, (size_t)count, sizeof(*victims), by_token);
		count = delete_all(store, victims, count);
	}
	free(victims);
	return count;
}
