#include "schema/config_value.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "schema/config.h"
#include "schema/config_keys.h"
#include "schema/config_value_text.h"
#include "schema/limits.h"
#include "schema/units.h"

/* How a value is kept in its struct. */
enum storage {
	AS_BOOL,
	AS_WHEN_FULL,
	AS_SEND_FILE,
	AS_NUMBER,
	AS_TEXT,
	AS_LIST
};

struct type {
	const char *name;
	enum storage storage;
	int (*parse)(const char *, struct config_value *); /* 1, 0, -1 */
	char *(*format)(int64_t, char *, size_t);          /* of numbers */
	const char *must_be; /* completes "KEY must be …" */
};

static const char *const bool_words[] = {"no", "yes", NULL};
static const char *const when_full_words[] = {
    [WHEN_FULL_REFUSE] = "refuse",
    [WHEN_FULL_MAKE_ROOM] = "make room",
    [WHEN_FULL_MAKE_ROOM + 1] = NULL,
};
static const char *const send_file_words[] = {
    [SEND_FILE_NO] = "no",
    [SEND_FILE_X_ACCEL_REDIRECT] = "x-accel-redirect",
    [SEND_FILE_X_SENDFILE] = "x-sendfile",
    [SEND_FILE_X_SENDFILE + 1] = NULL,
};

static int
parse_word(const char *const *words, const char *text, int64_t *out)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return 1;
		}
	}
	return 0;
}

static int
parse_bool(const char *text, struct config_value *out)
{
	return parse_word(bool_words, text, &out->number);
}

static int
parse_when_full(const char *text, struct config_value *out)
{
	return parse_word(when_full_words, text, &out->number);
}

static int
parse_send_file(const char *text, struct config_value *out)
{
	return parse_word(send_file_words, text, &out->number);
}

static int
parse_number(const char *text, struct config_value *out)
{
	return units_parse_number(text, &out->number);
}

static int
parse_count(const char *text, struct config_value *out)
{
	if (strcmp(text, "unlimited") == 0) {
		out->number = UNITS_NEVER;
		return 1;
	}
	return units_parse_number(text, &out->number);
}

static int
parse_mode(const char *text, struct config_value *out)
{
	size_t len = strspn(text, "01234567");

	if (len == 0 || len > 4 || text[len] != '\0')
		return 0;
	out->number = 0;
	for (; *text != '\0'; text++)
		out->number = out->number * 8 + (*text - '0');
	return 1;
}

static int
parse_size(const char *text, struct config_value *out)
{
	return units_parse_size(text, &out->number);
}

static int
parse_duration(const char *text, struct config_value *out)
{
	return units_parse_duration(text, &out->number);
}

/* Words of less than twenty bytes: UNITS_TEXT_MAX holds each of these. */
static char *
format_bool(int64_t value, char *buf, size_t len)
{
	snprintf(buf, len, "%s", bool_words[value]);
	return buf;
}

static char *
format_when_full(int64_t value, char *buf, size_t len)
{
	snprintf(buf, len, "%s", when_full_words[value]);
	return buf;
}

static char *
format_send_file(int64_t value, char *buf, size_t len)
{
	snprintf(buf, len, "%s", send_file_words[value]);
	return buf;
}

static char *
format_count(int64_t value, char *buf, size_t len)
{
	if (value == UNITS_NEVER)
		snprintf(buf, len, "unlimited");
	else
		snprintf(buf, len, "%" PRId64, value);
	return buf;
}

static char *
format_mode(int64_t value, char *buf, size_t len)
{
	snprintf(buf, len, "%04o", (unsigned int)value);
	return buf;
}

/* clang-format off */
static const struct type types[CONFIG_TYPE_COUNT_OF] = {
	[CONFIG_TYPE_BOOL] = { "yes or no", AS_BOOL, parse_bool,
	    format_bool, "yes or no" },
	[CONFIG_TYPE_WHEN_FULL] = { "refuse or make room", AS_WHEN_FULL,
	    parse_when_full, format_when_full, "refuse or make room" },
	[CONFIG_TYPE_SEND_FILE] = { "no, x-accel-redirect or x-sendfile",
	    AS_SEND_FILE, parse_send_file, format_send_file,
	    "no, x-accel-redirect or x-sendfile" },
	[CONFIG_TYPE_NUMBER] = { "number", AS_NUMBER, parse_number,
	    format_count, "a decimal number" },
	[CONFIG_TYPE_COUNT] = { "number or unlimited", AS_NUMBER, parse_count,
	    format_count, "a decimal number or unlimited" },
	[CONFIG_TYPE_MODE] = { "octal mode", AS_NUMBER, parse_mode,
	    format_mode, "permissions in octal, such as 0660" },
	[CONFIG_TYPE_SIZE] = { "size", AS_NUMBER, parse_size,
	    units_format_size, "a size such as 100 MiB, or unlimited" },
	[CONFIG_TYPE_DURATION] = { "duration", AS_NUMBER, parse_duration,
	    units_format_duration, "a duration such as 1h30m, or never" },
	[CONFIG_TYPE_TEXT] = { "text", AS_TEXT, config_value_text_clean, NULL,
	    "UTF-8 without control characters" },
	[CONFIG_TYPE_SECRET] = { "secret", AS_TEXT, config_value_text_clean,
	    NULL, "UTF-8 without control characters" },
	[CONFIG_TYPE_HEADER] = { "header value", AS_TEXT,
	    config_value_text_header, NULL, "printable ASCII" },
	[CONFIG_TYPE_PATH] = { "path", AS_TEXT, config_value_text_path, NULL,
	    "an absolute path" },
	[CONFIG_TYPE_DOMAIN] = { "domain", AS_TEXT, config_value_text_domain,
	    NULL, "a domain such as upload.example.org" },
	[CONFIG_TYPE_URL] = { "URL", AS_TEXT, config_value_text_url, NULL,
	    "a URL such as https://upload.example.org/, without query, "
	    "fragment or user" },
	[CONFIG_TYPE_URL_PATH] = { "URL path", AS_TEXT,
	    config_value_text_url_path, NULL,
	    "a path such as /_putslot/, of letters, digits and -._~" },
	[CONFIG_TYPE_PATTERNS] = { "patterns", AS_LIST,
	    config_value_text_patterns, NULL,
	    "a list of user@domain, @domain, domain or *" },
};
/* clang-format on */

static int
check_range(const struct config_key *key, int64_t number, char *why, size_t len)
{
	const struct type *type = &types[key->type];
	char low[UNITS_TEXT_MAX], high[UNITS_TEXT_MAX];

	if (type->storage != AS_NUMBER ||
	    (number >= key->minimum && number <= key->maximum))
		return 1;
	type->format(key->minimum, low, sizeof(low));
	type->format(key->maximum, high, sizeof(high));
	if (key->maximum == UNITS_NEVER - 1)
		snprintf(why, len, "limited");
	else
		snprintf(why, len, "between %s and %s", low, high);
	return 0;
}

void
config_value_free_list(char **list)
{
	for (char **p = list; p != NULL && *p != NULL; p++)
		free(*p);
	free(list);
}

void
config_value_free(struct config_value *value)
{
	free(value->text);
	config_value_free_list(value->list);
	*value = (struct config_value){.number = 0};
}

int
config_value_parse(const struct config_key *key, const char *text,
    struct config_value *out, char *why, size_t len)
{
	const struct type *type = &types[key->type];
	int result;

	*out = (struct config_value){.number = 0};
	if (*text == '\0') {
		snprintf(why, len, "given a value");
		return 0;
	}
	if (strlen(text) > CONFIG_VALUE_MAX) {
		snprintf(why, len, "of at most %d bytes", CONFIG_VALUE_MAX);
		return 0;
	}
	result = type->parse(text, out);
	if (result == 0)
		snprintf(why, len, "%s", type->must_be);
	else if (result == 1)
		result = check_range(key, out->number, why, len);
	if (result != 1)
		config_value_free(out);
	return result;
}

void
config_value_clear(const struct config_key *key, void *base)
{
	void *place = (char *)base + key->offset;

	if (types[key->type].storage == AS_TEXT) {
		free(*(char **)place);
		*(char **)place = NULL;
	} else if (types[key->type].storage == AS_LIST) {
		config_value_free_list(*(char ***)place);
		*(char ***)place = NULL;
	}
}

void
config_value_store(
    const struct config_key *key, void *base, struct config_value *value)
{
	void *place = (char *)base + key->offset;

	config_value_clear(key, base);
	switch (types[key->type].storage) {
	case AS_BOOL:
		*(bool *)place = value->number != 0;
		break;
	case AS_WHEN_FULL:
		*(enum when_full *)place = (enum when_full)value->number;
		break;
	case AS_SEND_FILE:
		*(enum send_file *)place = (enum send_file)value->number;
		break;
	case AS_NUMBER:
		*(int64_t *)place = value->number;
		break;
	case AS_TEXT:
		*(char **)place = value->text;
		value->text = NULL;
		break;
	case AS_LIST:
		*(char ***)place = value->list;
		value->list = NULL;
		break;
	}
}

static void
print_text(const struct config_key *key, const char *text, FILE *out)
{
	if (key->type == CONFIG_TYPE_SECRET)
		fprintf(out, "# %s is not shown\n", key->name);
	else if (text == NULL)
		fprintf(out, "# %s is not set\n", key->name);
	else
		fprintf(out, "%s = %s\n", key->name, text);
}

static void
print_list(const struct config_key *key, char *const *list, FILE *out)
{
	fprintf(out, "%s = ", key->name);
	/* As short as any that was read, for CONFIG_VALUE_MAX. */
	for (; list != NULL && *list != NULL; list++)
		fprintf(out, "%s%s", *list, list[1] == NULL ? "" : " ");
	fputc('\n', out);
}

static int64_t
load_number(const struct type *type, const void *place)
{
	switch (type->storage) {
	case AS_BOOL:
		return *(const bool *)place;
	case AS_WHEN_FULL:
		return (int64_t) * (const enum when_full *)place;
	case AS_SEND_FILE:
		return (int64_t) * (const enum send_file *)place;
	default:
		return *(const int64_t *)place;
	}
}

void
config_value_print(const struct config_key *key, const void *base, FILE *out)
{
	const struct type *type = &types[key->type];
	const void *place = (const char *)base + key->offset;
	char buf[UNITS_TEXT_MAX];

	if (type->storage == AS_TEXT) {
		print_text(key, *(char *const *)place, out);
	} else if (type->storage == AS_LIST) {
		print_list(key, *(char **const *)place, out);
	} else {
		type->format(load_number(type, place), buf, sizeof(buf));
		fprintf(out, "%s = %s\n", key->name, buf);
	}
}

const char *
config_value_type_name(const struct config_key *key)
{
	return types[key->type].name;
}
