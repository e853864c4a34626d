/* SPDX-License-Identifier: GPL-2.0-or-later */
/* git.c - see git.h. */
#include "runtime/git.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "runtime/texts.h"

#define OUTPUT_MAX ((size_t)1 << 30) /* bytes, as of a file */
#define ARGUMENTS_MAX 8

static const struct cni_span nowhere;

/* ---- running git ---- */

struct output {
	char *data;
	size_t len;
	const char *error; /* NULL: it did what was asked; else in git's words, or why it did not run */
};

/* All that comes, NUL-terminated; it goes on reading what is too much, so that git can end. */
static void read_output(struct cni_arena *arena, int fd, struct output *out)
{
	size_t room = 1 << 16;
	ssize_t n;

	out->data = cni_alloc(arena, room);
	while ((n = read(fd, out->data + out->len, room - out->len - 1)) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		if (out->len + (size_t)n > OUTPUT_MAX) {
			out->error = "has more than 1 GiB";
			out->len = 0;
			continue;
		}
		out->len += (size_t)n;
		if (room - out->len > 1)
			continue;
		out->data = cni_regrow(arena, out->data, room, room * 2);
		room *= 2;
	}
	out->data[out->len] = '\0';
	if (n < 0)
		out->error = strerror(errno);
}

/* What git said, without its "fatal: ", in one line. */
static const char *said(struct cni_arena *arena, int fd)
{
	static const char fatal[] = "fatal: ";
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	const char *begin = text;
	size_t len;

	if (n <= 0)
		return "git failed";
	len = (size_t)n;
	if (len >= strlen(fatal) && !memcmp(text, fatal, strlen(fatal))) {
		begin += strlen(fatal);
		len -= strlen(fatal);
	}
	for (size_t i = 0; i < len; i++)
		if (begin[i] == '\n')
			len = i;
	return cni_printf(arena, "git: %.*s", (int)len, begin);
}

static void become_git(char **arguments, int out, int errors)
{
	int nothing = open("/dev/null", O_RDONLY);

	if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(errors, STDERR_FILENO) >= 0)
		execvp("git", arguments);
	_exit(127);
}

/* `arguments` behind "git", up to a NULL. */
static struct output run_git(struct cni_arena *arena, const char *const *arguments)
{
	struct output out = { 0 };
	char *argv[ARGUMENTS_MAX] = { cni_strdup(arena, "git") };
	int ends[2], errors = memfd_create("git", MFD_CLOEXEC), status = 0;
	pid_t child;

	for (size_t i = 0; arguments[i]; i++)
		argv[i + 1] = cni_strdup(arena, arguments[i]);
	if (errors < 0 || pipe2(ends, O_CLOEXEC)) {
		out.error = strerror(errno);
		if (errors >= 0)
			close(errors);
		return out;
	}
	child = fork();
	if (!child)
		become_git(argv, ends[1], errors);
	close(ends[1]);
	if (child < 0)
		out.error = strerror(errno);
	else
		read_output(arena, ends[0], &out);
	close(ends[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!out.error && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		out.error = "git cannot be run";
	else if (!out.error && status)
		out.error = said(arena, errors);
	close(errors);
	return out;
}

/* Its answer as one word. */
static struct output ask_git(struct cni_arena *arena, const char *const *arguments)
{
	struct output out = run_git(arena, arguments);

	while (!out.error && out.len && out.data[out.len - 1] == '\n')
		out.data[--out.len] = '\0';
	return out;
}

/* ---- paths ---- */

/* Without "." and ".."; NULL: it leads out of the repository. */
static const char *plain_path(struct cni_arena *arena, const char *path)
{
	char *plain = cni_alloc(arena, strlen(path) + 1), *end = plain;

	if (*path == '/')
		return NULL;
	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !memcmp(path, "..", 2)) {
			if (end == plain)
				return NULL;
			while (end > plain && *--end != '/')
				;
		} else if (len && !(len == 1 && *path == '.')) {
			if (end > plain)
				*end++ = '/';
			memcpy(end, path, len);
			end += len;
		}
		path += len + (path[len] == '/');
	}
	*end = '\0';
	return plain;
}

bool rt_git_is(const char *operand)
{
	const char *colon = strchr(operand, ':');

	return colon && colon != operand && *operand != '-' && access(operand, F_OK);
}

static bool complain(struct cni_diags *diags, const char *what, const char *why)
{
	cni_diag(diags, CNI50, nowhere, "%s: %s", what, why);
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* As of a folder on disk: every *.cni that is not hidden. */
static void list(struct cni_arena *arena, struct rt_git *git, const char *folder, const struct output *names)
{
	for (const char *name = names->data; name < names->data + names->len; name += strlen(name) + 1) {
		const char *point = strrchr(name, '.');

		if (*name != '.' && point && !strcmp(point, ".cni"))
			*cni_push(arena, git->paths, git->n_paths) =
				cni_printf(arena, "%s%s%s", folder, *folder ? "/" : "", name);
	}
	if (git->n_paths)
		qsort(git->paths, git->n_paths, sizeof(*git->paths), by_name);
}

bool rt_git_find(struct cni_arena *arena, struct cni_diags *diags, const char *operand, struct rt_git *git)
{
	const char *colon = strchr(operand, ':'), *path = colon + 1, *object;
	const char *commit = cni_printf(arena, "%.*s^{commit}", (int)(colon - operand), operand);
	struct output out =
		ask_git(arena, (const char *const[]){ "rev-parse", "--verify", "--end-of-options", commit, NULL });

	*git = (struct rt_git){ .commit = out.data };
	if (out.error)
		return complain(diags, operand, out.error);
	if (!strncmp(path, "./", 2) || !strncmp(path, "../", 3)) {
		out = ask_git(arena, (const char *const[]){ "rev-parse", "--show-prefix", NULL });
		if (out.error)
			return complain(diags, operand, out.error);
		path = cni_printf(arena, "%s%s", out.data, path);
	}
	path = plain_path(arena, path);
	if (!path)
		return complain(diags, operand, "is outside of the repository");
	object = cni_printf(arena, "%s:%s", git->commit, path);
	out = ask_git(arena, (const char *const[]){ "cat-file", "-t", object, NULL });
	if (out.error)
		return complain(diags, operand, out.error);
	if (strcmp(out.data, "tree") != 0) {
		*cni_push(arena, git->paths, git->n_paths) = path;
		return true;
	}
	out = run_git(arena, (const char *const[]){ "ls-tree", "-z", "--name-only", object, NULL });
	if (out.error)
		return complain(diags, operand, out.error);
	list(arena, git, path, &out);
	if (!git->n_paths)
		cni_diag(diags, CNI56, nowhere, "%s: has no file *.cni", operand);
	return git->n_paths;
}

/* ---- texts ---- */

/* However a path leads there, a file is known by the one without detours. */
static struct rt_file *fetch_blob(struct rt_texts *texts, const char *path, struct cni_span at)
{
	const char *commit = texts->arg, *plain = plain_path(texts->arena, path);
	struct rt_file *file = plain ? rt_texts_known(texts, plain) : NULL;
	struct output out = { .error = "is outside of the repository" };

	if (plain && !file)
		out = run_git(texts->arena,
			      (const char *const[]){ "cat-file", "blob",
						     cni_printf(texts->arena, "%s:%s", commit, plain), NULL });
	if (!file && out.error) {
		cni_diag(texts->diags, CNI50, at, "%s: %s", path, out.error);
		return NULL;
	}
	if (!file) {
		file = rt_texts_new(texts, path, at);
		if (!file)
			return NULL;
		file->origin = plain;
		file->data = out.data;
		file->len = out.len;
	}
	rt_texts_name(texts, path, file);
	return file;
}

void rt_git_texts(struct rt_texts *texts, struct cni_arena *arena, struct cni_diags *diags, const struct rt_git *git)
{
	rt_texts_init(texts, arena, diags);
	texts->fetch = fetch_blob;
	texts->arg = git->commit;
}
