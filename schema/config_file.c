#include "schema/config_file.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "schema/config_mistakes.h"
#include "schema/purpose.h"
#include "schema/text.h"

#define BLANKS " \t\r\v\f"

/* A header has at most three words; a fourth is kept to be refused. */
#define WORDS_MAX 4

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

/* Makes room for one more, or returns NULL; array stays valid then. */
static void *
grow(void *array, size_t count, size_t size)
{
	return reallocarray(array, count + 1, size);
}

static bool
same_scope(const struct config_scope *a, const struct config_scope *b)
{
	return a->section == b->section && a->purpose == b->purpose &&
	       a->rule == b->rule;
}

/* ---- section headers ---- */

static int
add_rule(struct config_file *file, const char *name)
{
	char **rules =
	    grow(file->rules, file->rule_count, sizeof(*file->rules));

	if (rules == NULL)
		return -1;
	file->rules = rules;
	rules[file->rule_count] = strdup(name);
	if (rules[file->rule_count] == NULL)
		return -1;
	file->rule_count++;
	return 1;
}

/* Finds the rule, or adds it. 1 or -1. */
static int
find_rule(struct config_file *file, const char *name, size_t *rule)
{
	for (*rule = 0; *rule < file->rule_count; (*rule)++)
		if (strcmp(file->rules[*rule], name) == 0)
			return 1;
	return add_rule(file, name);
}

/* Reports a section that stands twice: most often the result of pasting, and
 * its second half would be easy to miss. */
static int
add_header(struct reading *r)
{
	struct config_file *file = r->file;
	struct config_header *headers;

	for (size_t i = 0; i < file->header_count; i++)
		if (same_scope(&file->headers[i].scope, &r->scope))
			config_mistakes_add(r->mistakes, r->line,
			    "this section stands here and on line %d",
			    file->headers[i].line);
	headers = grow(file->headers, file->header_count, sizeof(*headers));
	if (headers == NULL)
		return -1;
	file->headers = headers;
	headers[file->header_count++] =
	    (struct config_header){.scope = r->scope, .line = r->line};
	return 1;
}

static int
split(char *text, char *words[WORDS_MAX])
{
	int count = 0;
	char *word;

	while (count < WORDS_MAX && (word = strsep(&text, BLANKS)) != NULL)
		if (*word != '\0')
			words[count++] = word;
	return count;
}

static int
parse_purpose(struct reading *r, const char *name)
{
	if (purpose_parse(name, &r->scope.purpose) == 1)
		return 1;
	config_mistakes_add(
	    r->mistakes, r->line, "unknown purpose \"%s\"", name);
	return 0;
}

static int
parse_purpose_header(struct reading *r, char *words[WORDS_MAX], int count)
{
	if (count != 2) {
		config_mistakes_add(r->mistakes, r->line,
		    "this section must be [purpose NAME]");
		return 0;
	}
	r->scope.section = CONFIG_PURPOSE;
	return parse_purpose(r, words[1]);
}

static int
parse_rule_header(struct reading *r, char *words[WORDS_MAX], int count)
{
	if ((count != 2 && count != 3) || !text_is_clean(words[1])) {
		config_mistakes_add(r->mistakes, r->line,
		    "this section must be [rule NAME] or [rule NAME PURPOSE]");
		return 0;
	}
	r->scope.section = CONFIG_RULE;
	if (count == 3 && parse_purpose(r, words[2]) != 1)
		return 0;
	return find_rule(r->file, words[1], &r->scope.rule);
}

static int
parse_plain_header(struct reading *r, char *words[WORDS_MAX], int count)
{
	for (int s = 0; s < CONFIG_PURPOSE; s++) {
		r->scope.section = (enum config_section)s;
		if (count == 1 && strcmp(words[0], config_keys_section_name(
						       r->scope.section)) == 0)
			return 1;
	}
	config_mistakes_add(r->mistakes, r->line, "unknown section");
	return 0;
}

/* Dispatches on the first word. 1 known, 0 a mistake, -1 out of memory. */
static int
parse_header(struct reading *r, char *text)
{
	char *words[WORDS_MAX] = {"", "", "", ""};
	int count = split(text, words);

	r->scope = (struct config_scope){.purpose = PURPOSE_COUNT};
	if (strcmp(words[0], "purpose") == 0)
		return parse_purpose_header(r, words, count);
	if (strcmp(words[0], "rule") == 0)
		return parse_rule_header(r, words, count);
	return parse_plain_header(r, words, count);
}

/* text begins with '['. */
static void
begin_section(struct reading *r, char *text)
{
	char *end = strchr(text, ']');
	int result = 0;

	r->outside = false;
	if (end == NULL || end[1 + strspn(end + 1, BLANKS)] != '\0') {
		config_mistakes_add(r->mistakes, r->line,
		    "a section must be a line of its own, in brackets");
	} else {
		*end = '\0';
		result = parse_header(r, text + 1);
	}
	if (result == 1)
		result = add_header(r);
	r->broken = r->broken || result == -1;
	r->skipping = result != 1;
}

/* ---- lines ---- */

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

static const struct config_key *
find_key(struct reading *r, const char *name)
{
	const struct config_key *key;
	const char *guess;

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
		    r->file->rules[r->scope.rule]);
		return NULL;
	}
	if (key != NULL)
		return key;
	guess = config_keys_guess(r->scope.section, name);
	config_mistakes_add(r->mistakes, r->line, "unknown key \"%s\"%s%s%s",
	    name, guess == NULL ? "" : "; did you mean \"",
	    guess == NULL ? "" : guess, guess == NULL ? "" : "\"?");
	return NULL;
}

static bool
is_repeated(struct reading *r, const struct config_key *key)
{
	for (size_t i = 0; i < r->file->entry_count; i++) {
		const struct config_entry *e = &r->file->entries[i];

		if (e->key == key && same_scope(&e->scope, &r->scope)) {
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

	entries =
	    grow(r->file->entries, r->file->entry_count, sizeof(*entries));
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
	for (size_t i = 0; i < file->rule_count; i++)
		free(file->rules[i]);
	free(file->entries);
	free(file->rules);
	free(file->headers);
	free(file);
}

static const struct config_entry *
find_entry(const struct config_file *file, const struct config_scope *scope,
    const char *name)
{
	for (size_t i = 0; i < file->entry_count; i++) {
		const struct config_entry *e = &file->entries[i];

		if (same_scope(&e->scope, scope) &&
		    strcmp(e->key->name, name) == 0)
			return e;
	}
	return NULL;
}

const struct config_entry *
config_file_entry(const struct config_file *file, enum config_section section,
    const char *name)
{
	struct config_scope scope = {
	    .section = section, .purpose = PURPOSE_COUNT};

	return find_entry(file, &scope, name);
}

const struct config_entry *
config_file_rule_entry(
    const struct config_file *file, size_t rule, const char *name)
{
	struct config_scope scope = {
	    .section = CONFIG_RULE, .purpose = PURPOSE_COUNT, .rule = rule};

	return find_entry(file, &scope, name);
}

int
config_file_rule_line(const struct config_file *file, size_t rule)
{
	for (size_t i = 0; i < file->header_count; i++) {
		const struct config_scope *scope = &file->headers[i].scope;

		if (scope->section == CONFIG_RULE && scope->rule == rule)
			return file->headers[i].line;
	}
	return 0;
}
