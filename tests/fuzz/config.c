/*
 * The configuration file, and the file of the secret. Input: either.
 */
#include "schema/config.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "schema/text.h"
#include "tests/fuzz/fuzz.h"

/* A file without a name, of mode 0600; path is one to open it by. */
static int
make_file(const void *data, size_t size, char path[32])
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	FUZZ_CLAIM(fd >= 0);
	FUZZ_CLAIM(fchmod(fd, 0600) == 0);
	FUZZ_CLAIM(size == 0 || write(fd, data, size) == (ssize_t)size);
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* Every line of what was said names the file. */
static void
check_said(const char *said, const char *path)
{
	FUZZ_CLAIM(*said != '\0');
	while (*said) {
		FUZZ_CLAIM(strncmp(said, path, strlen(path)) == 0);
		FUZZ_CLAIM(said[strlen(path)] == ':');
		said = strchr(said, '\n');
		FUZZ_CLAIM(said != NULL);
		said++;
	}
}

/* As config_read; NULL where it says no, for a reason that it gives. */
static struct config *
read_config(const void *data, size_t size, enum config_reader reader)
{
	char path[32];
	int fd = make_file(data, size, path);
	struct config *config = NULL;
	char *said = NULL;
	size_t len;
	FILE *err = open_memstream(&said, &len);

	FUZZ_CLAIM(err != NULL);
	int result = config_read(path, reader, &config, err);
	FUZZ_CLAIM(fclose(err) == 0);
	FUZZ_CLAIM(result == 1 || result == 0);
	FUZZ_CLAIM((config != NULL) == (result == 1));
	if (result == 0)
		check_said(said, path);
	else
		FUZZ_CLAIM(*said == '\0');
	free(said);
	close(fd);
	return config;
}

static char *
print_config(const struct config *config, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	FUZZ_CLAIM(out != NULL);
	config_print(config, out);
	FUZZ_CLAIM(fclose(out) == 0);
	return text;
}

/* What the rest of the program relies on without looking. */
static void
check_config(const struct config *config)
{
	FUZZ_CLAIM(config->put_url != NULL && config->get_url != NULL);
	FUZZ_CLAIM(config->put_url[strlen(config->put_url) - 1] == '/');
	FUZZ_CLAIM(config->get_url[strlen(config->get_url) - 1] == '/');
	FUZZ_CLAIM(
	    config->allow_http || strncmp(config->put_url, "https://", 8) == 0);
	FUZZ_CLAIM(config->database && *config->database == '/');
	FUZZ_CLAIM(config->bodies && *config->bodies == '/');
	FUZZ_CLAIM(config->threads >= 1 && config->put_window >= 1);
	for (size_t i = 0; i < config->rule_count; i++) {
		const struct rule *rule = &config->rules[i];

		FUZZ_CLAIM(rule->name && rule->patterns && *rule->patterns);
		for (char **p = rule->patterns; *p; p++)
			FUZZ_CLAIM(limits_pattern_valid(*p));
		for (int p = 0; p < PURPOSE_COUNT; p++)
			FUZZ_CLAIM(
			    limits_max_file_size(config, &rule->limits[p]) > 0);
	}
}

/* What is printed, read again, prints the same. */
static void
check_round_trip(const struct config *config)
{
	size_t len, len_again;
	char *text = print_config(config, &len);
	struct config *again = read_config(text, len, CONFIG_FOR_WEB);

	FUZZ_CLAIM(again != NULL);
	char *text_again = print_config(again, &len_again);
	FUZZ_CLAIM(strcmp(text, text_again) == 0);
	free(text_again);
	config_free(again);
	free(text);
}

static void
check(const void *data, size_t size, enum config_reader reader)
{
	struct config *config = read_config(data, size, reader);

	if (config == NULL)
		return;
	check_config(config);
	if (reader == CONFIG_FOR_WEB)
		FUZZ_CLAIM(config->secret == NULL);
	else
		FUZZ_CLAIM(config->jid && config->secret && config->rule_count);
	check_round_trip(config);
	config_free(config);
}

/* A secret is the first line of its file, if it is fit to be one. */
static void
check_secret(const char *data, size_t size)
{
	char path[32], text[200];
	int fd = make_file(data, size, path);

	snprintf(text, sizeof(text),
	    "[component]\njid = upload.example.org\nsecret_file = %s\n"
	    "[web]\nput_url = https://upload.example.org/\n",
	    path);
	struct config *config =
	    read_config(text, strlen(text), CONFIG_FOR_COMPONENT);
	if (config != NULL) {
		size_t len = strlen(config->secret);

		FUZZ_CLAIM(len > 0 && len <= size);
		FUZZ_CLAIM(memcmp(config->secret, data, len) == 0);
		FUZZ_CLAIM(
		    len == size || data[len] == '\r' || data[len] == '\n');
		FUZZ_CLAIM(text_is_clean(config->secret));
	}
	config_free(config);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check(data, size, CONFIG_FOR_WEB);
	/* It would open whatever the input names, a terminal too. */
	if (size == 0 || memmem(data, size, "secret_file", 11) == NULL)
		check(data, size, CONFIG_FOR_COMPONENT);
	check_secret((const char *)data, size);
	return 0;
}
