#include "schema/config_file.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "schema/config_mistakes.h"

#define BLANKS " \t\r\v\f"

struct reading {
	FILE *stream;
	struct config_file *file;
	struct config_mistakes *mistakes;
	int line;
	bool outside;  /* no section has begun */
	bool skipping; /* the section is unknown, and that was said */
	bool broken;   /* out of memory */
	struct config_scope scope;
};

/* ---- lines ---- */

/* text begins with '['. */
static void
begin_section(struct reading *r, char *text)
{
	struct config_headers *headers = &r->file->headers;
	int result = config_header_add(headers, text, r->line, r->mistakes);

	r->outside = false;
	r->skipping = result != 1;
	if (result == 1)
		r->scope = headers->list[headers->count - 1].scope;
	else if (result == -1)
		r->broken = true;
}

struct line_flaws {
	bool nul, too_long;
};

/* Reads a line without its end; of a line that does not fit the start. False
 * at the end of the file. */
static bool
read_line(FILE *stream, char *buf, int size, struct line_flaws *flaws)
{
	int c, n = 0;
	bool any = false;

	while ((c = getc(stream)) != EOF) {
		any = true;
		if (c == '\n')
			break;
		if (c == '\0')
			flaws->nul = true;
		if (n < size - 1 && n < CONFIG_FILE_LINE_MAX)
			buf[n++] = (char)c;
		else
			flaws->too_long = true;
	}
	buf[n] = '\0';
	return any;
}

/* Whether the line is for inih to take apart: not a mistake, and not a section,
 * because inih cuts their names at 49 bytes and says nothing of empty ones. */
static bool
is_entry(struct reading *r, char *text)
{
	if (*text == '\0' || *text == '#' || *text == ';')
		return false;
	if (*text == '[') {
		begin_section(r, text);
		return false;
	}
	if (r->skipping)
		return false;
	if (text[strcspn(text, "=:")] != '=') {
		config_mistakes_add(r->mistakes, r->line,
		    "neither a section nor of the form key = value");
		return false;
	}
	return true;
}

static char *
skip_byte_order_mark(char *text, int line)
{
	return line == 1 && strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3
								  : text;
}

/* inih's ini_reader: hands out a line at a time, blank where it is nothing for
 * inih. It counts the lines, as inih tells its handler no number. */
static char *
next_line(char *buf, int size, void *arg)
{
	struct reading *r = arg;
	struct line_flaws flaws = {.nul = false};
	char *text;

	if (r->broken || !read_line(r->stream, buf, size, &flaws))
		return NULL;
	r->line++;
	text = skip_byte_order_mark(buf, r->line);
	text += strspn(text, BLANKS);
	if (flaws.nul || flaws.too_long) {
		config_mistakes_add(r->mistakes, r->line,
		    flaws.nul ? "a NUL byte in the line"
			      : "the line is too long");
		*text = '\0';
	} else if (!is_entry(r, text)) {
		*text = '\0';
	}
	memmove(buf, text, strlen(text) + 1);
	return buf;
}

/* ---- entries ---- */

static void
report_unknown_key(struct reading *r, const char *name)
{
	const char *guess = config_keys_guess(r->scope.section, name);

	if (guess == NULL)
		config_mistakes_add(
		    r->mistakes, r->line, "unknown key \"%s\"", name);
	else
		config_mistakes_add(r->mistakes, r->line,
		    "unknown key \"%s\"; did you mean \"%s\"?", name, guess);
}

/* NULL: no such key here, which was reported. */
static const struct config_key *
find_key(struct reading *r, const char *name)
{
	const struct config_key *key;

	if (r->outside) {
		config_mistakes_add(r->mistakes, r->line,
		    "\"%s\" stands before any section", name);
		return NULL;
	}
	key = config_keys_find(r->scope.section, name);
	if (key != NULL && key->section == CONFIG_RULE &&
	    r->scope.purpose != PURPOSE_COUNT) {
		config_mistakes_add(r->mistakes, r->line,
		    "\"%s\" belongs into [rule %s], without a purpose", name,
		    r->file->headers.rules[r->scope.rule]);
		return NULL;
	}
	if (key == NULL)
		report_unknown_key(r, name);
	return key;
}

/* The section's own entries are the last ones: a section that stands twice is
 * a mistake of its own, and all of a file would be too much to search. */
static bool
is_repeated(struct reading *r, const struct config_key *key)
{
	for (size_t i = r->file->entry_count; i > 0; i--) {
		const struct config_entry *e = &r->file->entries[i - 1];

		if (!config_header_same(&e->scope, &r->scope))
			break;
		if (e->key == key) {
			config_mistakes_add(r->mistakes, r->line,
			    "\"%s\" stands here and on line %d", key->name,
			    e->line);
			return true;
		}
	}
	return false;
}

static int
add_entry(struct reading *r, const struct config_key *key, const char *text)
{
	struct config_entry *entries, *entry;
	char why[128] = "";
	int result;

	entries = reallocarray(
	    r->file->entries, r->file->entry_count + 1, sizeof(*entries));
	if (entries == NULL)
		return -1;
	r->file->entries = entries;
	entry = &entries[r->file->entry_count];
	*entry = (struct config_entry){
	    .scope = r->scope, .line = r->line, .key = key};
	result = config_value_parse(key, text, &entry->value, why, sizeof(why));
	if (result == -1)
		return -1;
	entry->valid = result == 1;
	r->file->entry_count++;
	if (!entry->valid)
		config_mistakes_add(
		    r->mistakes, r->line, "%s must be %s", key->name, why);
	return 1;
}

/* inih's ini_handler; 1 goes on, as mistakes are counted elsewhere. */
static int
take_entry(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	const struct config_key *key = find_key(r, name);

	(void)section;
	if (key != NULL && !is_repeated(r, key) &&
	    add_entry(r, key, value) != 1)
		r->broken = true;
	return 1;
}

/* ---- the file ---- */

/* What is a compile-time choice elsewhere Debian's library has as variables.
 * Continuation lines need no switch: next_line strips what would make them. */
static void
set_up_inih(void)
{
	ini_allow_inline_comments = false;
	ini_max_line = CONFIG_FILE_LINE_MAX + 3; /* CR, LF, NUL */
}

int
config_file_read(
    FILE *stream, struct config_mistakes *mistakes, struct config_file **out)
{
	struct reading r = {
	    .stream = stream,
	    .mistakes = mistakes,
	    .outside = true,
	};

	*out = NULL;
	r.file = calloc(1, sizeof(*r.file));
	if (r.file == NULL)
		r.broken = true;
	set_up_inih();
	if (!r.broken && ini_parse_stream(next_line, &r, take_entry, &r) == -2)
		r.broken = true;
	if (ferror(stream))
		config_mistakes_add(mistakes, 0, "%s", strerror(errno));
	else if (r.broken)
		config_mistakes_add(mistakes, 0, "out of memory");
	if (ferror(stream) || r.broken) {
		config_file_free(r.file);
		return -1;
	}
	*out = r.file;
	return 1;
}

void
config_file_free(struct config_file *file)
{
	if (file == NULL)
		return;
	for (size_t i = 0; i < file->entry_count; i++)
		config_value_free(&file->entries[i].value);
	free(file->entries);
	config_header_free(&file->headers);
	free(file);
}

/* Finds an entry from *at on, and then from the beginning. */
static const struct config_entry *
find_entry(const struct config_file *file, const struct config_scope *scope,
    const char *name, size_t *at)
{
	for (size_t i = 0; i < file->entry_count; i++) {
		size_t place = (*at + i) % file->entry_count;
		const struct config_entry *e = &file->entries[place];

		if (config_header_same(&e->scope, scope) &&
		    strcmp(e->key->name, name) == 0) {
			*at = place;
			return e;
		}
	}
	return NULL;
}

const struct config_entry *
config_file_entry(const struct config_file *file, enum config_section section,
    const char *name)
{
	struct config_scope scope = {
	    .section = section, .purpose = PURPOSE_COUNT};
	size_t at = 0;

	return find_entry(file, &scope, name, &at);
}

const struct config_entry *
config_file_rule_entry(
    const struct config_file *file, size_t rule, const char *name, size_t *at)
{
	struct config_scope scope = {
	    .section = CONFIG_RULE, .purpose = PURPOSE_COUNT, .rule = rule};

	return find_entry(file, &scope, name, at);
}
