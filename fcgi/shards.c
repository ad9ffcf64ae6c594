#include "fcgi/shards.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "schema/log.h"

#define DIRECTORY_MODE 02770 /* setgid: what is made inside has the group */
#define OPEN_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

int
shards_sync(int fd)
{
	int rc;

	do
		rc = fsync(fd);
	while (rc == -1 && errno == EINTR);
	return rc;
}

/* Closes what could not be finished; errno stays what it was. -1. */
static int
give_up(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* Sets the mode of a directory that this process made: the umask may have
 * taken the group's part. */
static int
open_made(int parent, const char *name)
{
	int fd = openat(parent, name, OPEN_FLAGS | O_NOFOLLOW);

	if (fd >= 0 && fchmod(fd, DIRECTORY_MODE) == -1)
		return give_up(fd);
	return fd;
}

int
shards_open_root(const char *path)
{
	int fd, parent, rc;

	if (mkdir(path, DIRECTORY_MODE) == -1)
		/* here a symbolic link is the administrator's choice */
		return errno == EEXIST ? open(path, OPEN_FLAGS) : -1;
	fd = open_made(AT_FDCWD, path);
	if (fd == -1)
		return -1;
	parent = openat(fd, "..", OPEN_FLAGS);
	if (parent == -1)
		return give_up(fd);
	rc = shards_sync(parent);
	close(parent);
	return rc == -1 ? give_up(fd) : fd;
}

int
shards_open_directory(int root, const char *name, bool make)
{
	int fd = openat(root, name, OPEN_FLAGS | O_NOFOLLOW);

	if (fd >= 0 || errno != ENOENT || !make)
		return fd;
	if (mkdirat(root, name, DIRECTORY_MODE) == 0)
		return open_made(root, name);
	/* where somebody else was faster, he sees to the mode */
	return errno == EEXIST ? openat(root, name, OPEN_FLAGS | O_NOFOLLOW)
			       : -1;
}

int
shards_open(int root, const char token[TOKEN_LEN + 1], bool make)
{
	char name[BODIES_SHARD_LEN + 1] = "";

	memcpy(name, token, BODIES_SHARD_LEN);
	return shards_open_directory(root, name, make);
}

size_t
shards_index(const char token[TOKEN_LEN + 1])
{
	size_t index = 0;

	for (int i = 0; i < BODIES_SHARD_LEN; i++) {
		char c = token[i];
		int digit = c >= 'a' ? c - 'a' : c - '2' + 26;
		index = index * 32 + (size_t)digit;
	}
	return index % SHARDS_COUNT;
}

char *
shards_path(const char token[TOKEN_LEN + 1], char path[SHARDS_PATH_MAX])
{
	memcpy(path, token, BODIES_SHARD_LEN);
	path[BODIES_SHARD_LEN] = '/';
	memcpy(path + BODIES_SHARD_LEN + 1, token, TOKEN_LEN + 1);
	return path;
}

bool
shards_is_name(const char *name)
{
	char token[TOKEN_LEN + 1];

	if (strlen(name) != BODIES_SHARD_LEN)
		return false;
	memset(token, 'a', TOKEN_LEN);
	memcpy(token, name, BODIES_SHARD_LEN);
	return token_valid(token, TOKEN_LEN);
}

static int
visit_entry(DIR *dir, const char *name, shards_entry_fn *visit, void *arg)
{
	struct stat st;

	if (name[0] == '.')
		return 0;
	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return visit(arg, dirfd(dir), name, &st);
	if (errno == ENOENT) /* removed since the directory was read */
		return 0;
	log_error("walking a directory: %s", strerror(errno));
	return -1;
}

int64_t
shards_walk(int fd, shards_entry_fn *visit, void *arg)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int64_t sum = 0;
	int rc = 0;

	if (dir == NULL) {
		log_error("walking a directory: %s", strerror(errno));
		close(fd);
		return -1;
	}
	while (rc != -1 && (errno = 0, entry = readdir(dir)) != NULL) {
		rc = visit_entry(dir, entry->d_name, visit, arg);
		sum += rc;
	}
	if (rc != -1 && errno != 0) {
		log_error("walking a directory: %s", strerror(errno));
		rc = -1;
	}
	closedir(dir);
	return rc == -1 ? -1 : sum;
}
