/* One slot made stored, for tests to which it does not matter that several can
 * be at once. */
#ifndef TESTS_SCHEMA_PUBLICATIONS_H
#define TESTS_SCHEMA_PUBLICATIONS_H

#include "schema/store.h"

struct publications_namer {
	int (*name)(void *); /* 1, 0 no room, -1 */
	void *arg;
};

static inline void
publications_name(void *arg, struct publication *const *list, size_t count)
{
	const struct publications_namer *namer = arg;

	for (size_t i = 0; i < count; i++) {
		int rc = list[i]->result == 1 ? namer->name(namer->arg) : 1;
		if (rc != 1)
			list[i]->result = rc == 0 ? STORE_FULL : rc;
	}
}

/* The result. */
static inline int
publish_one(
    struct store *store, struct publication p, int (*name)(void *), void *arg)
{
	struct publications_namer namer = {name, arg};
	struct publication *list[] = {&p};

	store_publish_all(store, list, 1, publications_name, &namer);
	return p.result;
}

#endif
