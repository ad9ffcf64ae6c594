#include "schema/config_header.h"

#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "schema/config_mistakes.h"
#include "schema/config_value.h"
#include "schema/purpose.h"
#include "schema/text.h"

#define BLANKS " \t\r\v\f"

/* A header has at most three words; a fourth is kept to be refused. */
#define WORDS_MAX 4

/* What is being parsed, and where the answers go. */
struct parsing {
	struct config_headers *headers;
	struct config_mistakes *mistakes;
	int line;
	struct config_scope scope;
};

/* A rule in the tree of names. */
struct named {
	const char *name;
	size_t rule;
	int line;                     /* of its first header */
	int lines[PURPOSE_COUNT + 1]; /* of the header by purpose; 0: none */
};

static int
compare_names(const void *a, const void *b)
{
	const struct named *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static struct named *
find_named(const struct config_headers *headers, const char *name)
{
	const struct named wanted = {.name = name};
	struct named **found = tfind(&wanted, &headers->by_name, compare_names);

	return found == NULL ? NULL : *found;
}

/* Appends the name to the list. NULL: out of memory. */
static const char *
append_name(struct config_headers *headers, const char *name)
{
	char **rules = reallocarray(
	    headers->rules, headers->rule_count + 1, sizeof(*rules));

	if (rules == NULL)
		return NULL;
	headers->rules = rules;
	rules[headers->rule_count] = strdup(name);
	if (rules[headers->rule_count] == NULL)
		return NULL;
	return rules[headers->rule_count++];
}

static int
add_rule(struct config_headers *headers, const char *name, int line)
{
	struct named *named = calloc(1, sizeof(*named));

	if (named == NULL)
		return -1;
	*named = (struct named){.name = append_name(headers, name),
	    .rule = headers->rule_count - 1,
	    .line = line};
	if (named->name == NULL ||
	    tsearch(named, &headers->by_name, compare_names) == NULL) {
		free(named);
		return -1;
	}
	return 1;
}

/* Finds the rule, or adds it. 1 or -1. */
static int
find_rule(struct parsing *p, const char *name)
{
	const struct named *named = find_named(p->headers, name);

	p->scope.rule = named ? named->rule : p->headers->rule_count;
	return named ? 1 : add_rule(p->headers, name, p->line);
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
parse_purpose(struct parsing *p, const char *name)
{
	if (purpose_parse(name, &p->scope.purpose) == 1)
		return 1;
	config_mistakes_add(
	    p->mistakes, p->line, "unknown purpose \"%s\"", name);
	return 0;
}

static int
parse_purpose_header(struct parsing *p, char *words[WORDS_MAX], int count)
{
	if (count != 2) {
		config_mistakes_add(p->mistakes, p->line,
		    "this section must be [purpose NAME]");
		return 0;
	}
	p->scope.section = CONFIG_PURPOSE;
	return parse_purpose(p, words[1]);
}

static int
parse_rule_header(struct parsing *p, char *words[WORDS_MAX], int count)
{
	if ((count != 2 && count != 3) || !text_is_clean(words[1])) {
		config_mistakes_add(p->mistakes, p->line,
		    "this section must be [rule NAME] or [rule NAME PURPOSE]");
		return 0;
	}
	if (strlen(words[1]) > CONFIG_VALUE_MAX) {
		config_mistakes_add(p->mistakes, p->line,
		    "the rule's name must be of at most %d bytes",
		    CONFIG_VALUE_MAX);
		return 0;
	}
	p->scope.section = CONFIG_RULE;
	if (count == 3 && parse_purpose(p, words[2]) != 1)
		return 0;
	return find_rule(p, words[1]);
}

static int
parse_plain_header(struct parsing *p, char *words[WORDS_MAX], int count)
{
	for (int s = 0; s < CONFIG_PURPOSE; s++) {
		p->scope.section = (enum config_section)s;
		if (count == 1 && strcmp(words[0], config_keys_section_name(
						       p->scope.section)) == 0)
			return 1;
	}
	config_mistakes_add(p->mistakes, p->line, "unknown section");
	return 0;
}

/* Dispatches on the first word. 1 known, 0 a mistake, -1 out of memory. */
static int
parse_words(struct parsing *p, char *text)
{
	char *words[WORDS_MAX] = {"", "", "", ""};
	int count = split(text, words);

	if (strcmp(words[0], "purpose") == 0)
		return parse_purpose_header(p, words, count);
	if (strcmp(words[0], "rule") == 0)
		return parse_rule_header(p, words, count);
	return parse_plain_header(p, words, count);
}

/* The line where the section stands already; 0: it does not. From now on it
 * stands in this line. */
static int
replace_line(struct parsing *p)
{
	const struct config_headers *headers = p->headers;
	int line = 0, *place;

	if (p->scope.section == CONFIG_RULE) {
		place = &find_named(headers, headers->rules[p->scope.rule])
			     ->lines[p->scope.purpose];
		line = *place;
		*place = p->line;
		return line;
	}
	for (size_t i = 0; i < headers->count; i++)
		if (config_header_same(&headers->list[i].scope, &p->scope))
			line = headers->list[i].line;
	return line;
}

/* Reports a section that stands twice: most often the result of pasting, and
 * its second half would be easy to miss. 1 or -1. */
static int
add_header(struct parsing *p)
{
	struct config_headers *headers = p->headers;
	struct config_header *list;
	int line = replace_line(p);

	if (line > 0)
		config_mistakes_add(p->mistakes, p->line,
		    "this section stands here and on line %d", line);
	list = reallocarray(headers->list, headers->count + 1, sizeof(*list));
	if (list == NULL)
		return -1;
	headers->list = list;
	list[headers->count++] =
	    (struct config_header){.scope = p->scope, .line = p->line};
	return 1;
}

bool
config_header_same(const struct config_scope *a, const struct config_scope *b)
{
	return a->section == b->section && a->purpose == b->purpose &&
	       a->rule == b->rule;
}

int
config_header_add(struct config_headers *headers, char *text, int line,
    struct config_mistakes *mistakes)
{
	struct parsing p = {
	    .headers = headers,
	    .mistakes = mistakes,
	    .line = line,
	    .scope = {.purpose = PURPOSE_COUNT},
	};
	char *end = strchr(text, ']');
	int result;

	if (end == NULL || end[1 + strspn(end + 1, BLANKS)] != '\0') {
		config_mistakes_add(mistakes, line,
		    "a section must be a line of its own, in brackets");
		return 0;
	}
	*end = '\0';
	result = parse_words(&p, text + 1);
	return result == 1 ? add_header(&p) : result;
}

int
config_header_rule_line(const struct config_headers *headers, size_t rule)
{
	if (rule >= headers->rule_count)
		return 0;
	return find_named(headers, headers->rules[rule])->line;
}

void
config_header_free(struct config_headers *headers)
{
	tdestroy(headers->by_name, free);
	for (size_t i = 0; i < headers->rule_count; i++)
		free(headers->rules[i]);
	free(headers->rules);
	free(headers->list);
}
