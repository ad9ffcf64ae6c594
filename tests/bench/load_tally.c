#include "tests/bench/load_tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define FIRST_ROOM 4096

double
load_tally_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
grow(struct load_tally *tally)
{
	size_t room = tally->room ? tally->room * 2 : FIRST_ROOM;
	uint32_t *more =
	    reallocarray(tally->latencies, room, sizeof *tally->latencies);

	if (!more)
		return -1;
	tally->latencies = more;
	tally->room = room;
	return 1;
}

static int
add_latency(struct load_tally *tally, uint32_t latency)
{
	if (tally->count == tally->room && grow(tally) != 1)
		return -1;
	tally->latencies[tally->count++] = latency;
	return 1;
}

int
load_tally_add(
    struct load_tally *tally, unsigned status, double seconds, uint64_t bytes)
{
	if (status >= sizeof tally->status / sizeof *tally->status) {
		tally->broken++;
		return 1;
	}
	tally->status[status]++;
	if (status / 100 != 2)
		return 1;
	tally->bytes += bytes;
	return add_latency(tally, (uint32_t)(seconds * 1e6));
}

int
load_tally_merge(struct load_tally *tally, const struct load_tally *other)
{
	size_t i;

	for (i = 0; i < other->count; i++)
		if (add_latency(tally, other->latencies[i]) != 1)
			return -1;
	for (i = 0; i < sizeof tally->status / sizeof *tally->status; i++)
		tally->status[i] += other->status[i];
	tally->bytes += other->bytes;
	tally->broken += other->broken;
	return 1;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Milliseconds that so many of a thousand requests did not exceed. */
static double
quantile(const struct load_tally *tally, size_t thousandths)
{
	size_t at = tally->count * thousandths / 1000;

	if (!tally->count)
		return 0;
	if (at >= tally->count)
		at = tally->count - 1;
	return tally->latencies[at] / 1e3;
}

static double
cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void
print_statuses(const struct load_tally *tally, FILE *out)
{
	const char *comma = "";
	size_t i;

	fputs("\"status\": {", out);
	for (i = 0; i < sizeof tally->status / sizeof *tally->status; i++) {
		if (!tally->status[i])
			continue;
		fprintf(out, "%s\"%zu\": %" PRIu64, comma, i, tally->status[i]);
		comma = ", ";
	}
	fprintf(out, "}, \"broken\": %" PRIu64 ", ", tally->broken);
}

void
load_tally_print(struct load_tally *tally, double seconds, FILE *out)
{
	if (tally->count)
		qsort(
		    tally->latencies, tally->count, sizeof(uint32_t), compare);
	fprintf(out, "{\"requests\": %zu, \"seconds\": %.4f, ", tally->count,
	    seconds);
	print_statuses(tally, out);
	fprintf(out, "\"per_second\": %.2f, \"bytes_per_second\": %.0f, ",
	    (double)tally->count / seconds, (double)tally->bytes / seconds);
	fprintf(out,
	    "\"p50_ms\": %.3f, \"p90_ms\": %.3f, \"p99_ms\": %.3f, "
	    "\"max_ms\": %.3f, \"own_cpu_seconds\": %.3f}\n",
	    quantile(tally, 500), quantile(tally, 900), quantile(tally, 990),
	    quantile(tally, 1000), cpu_seconds());
}

void
load_tally_free(struct load_tally *tally)
{
	free(tally->latencies);
	tally->latencies = NULL;
	tally->count = tally->room = 0;
}
