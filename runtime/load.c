/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c - paths to one ast; see load.h. A file is known by device and inode, so that it is read once under
 * whatever paths; the includes that are open form a chain, in which a file that comes again is a cycle. */
#include "runtime/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "compiler/model.h"
#include "grammar/parse.h"

#define FILE_MAX ((size_t)1 << 30) /* bytes */
#define FILES_MAX 4096u
#define INCLUDE_MAX 64u
#define FIRST_READ ((size_t)1 << 16)

struct known {
	dev_t device;
	ino_t inode;
	const struct cni_ranges *set; /* what a prefix file held */
	bool is_set;
};

struct chain { /* the includes that are open, innermost first */
	const struct known *file;
	const char *path;
	struct cni_span at; /* the include that names it */
	unsigned int depth;
	const struct chain *outer;
};

struct loader {
	struct cni_arena *arena;
	struct rt_policy *policy;
	struct known *files;
	size_t n_files;
	bool stdin_read;
	bool texts_only; /* nothing is parsed, so that nothing is included */
	struct cni_ast_decl **tail;
};

struct file {
	int fd;
	struct stat st;
};

static void load_text(struct loader *l, const char *path, struct cni_span at, const struct chain *outer);

static void complain(struct loader *l, enum cni_code code, struct cni_span at, const char *path, const char *what)
{
	cni_diag(&l->policy->diags, code, at, "%s: %s", path, what);
}

/* The file behind a path, which the caller closes; false after a diagnostic. `-` is standard input where the
 * command line names it. */
static bool open_file(struct loader *l, const char *path, struct cni_span at, bool dash, struct file *file)
{
	file->fd = dash ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, O_RDONLY | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &file->st)) {
		complain(l, CNI50, at, path, strerror(errno));
	} else if (S_ISDIR(file->st.st_mode)) {
		complain(l, CNI51, at, path, "is a folder");
	} else if (S_ISREG(file->st.st_mode) && (uint64_t)file->st.st_size > FILE_MAX) {
		complain(l, CNI52, at, path, "has more than 1 GiB");
	} else {
		return true;
	}
	if (file->fd >= 0)
		close(file->fd);
	return false;
}

/* All bytes of a file that may be a pipe, shrink or grow; NULL after a diagnostic. */
static const char *read_all(struct loader *l, const struct file *file, const char *path, struct cni_span at,
			    size_t *len)
{
	/* one byte more than it claims to have, so that its end is seen without growing */
	size_t room = file->st.st_size > 0 ? (size_t)file->st.st_size + 1 : FIRST_READ;
	char *text = cni_alloc(l->arena, room);
	ssize_t n;

	for (*len = 0;; *len += (size_t)n) {
		if (*len == room) {
			size_t more = room < FILE_MAX / 2 ? room * 2 : FILE_MAX + 1;

			text = cni_regrow(l->arena, text, room, more);
			room = more;
		}
		do
			n = read(file->fd, text + *len, room - *len);
		while (n < 0 && errno == EINTR);
		if (n < 0) {
			complain(l, CNI50, at, path, strerror(errno));
			return NULL;
		}
		if (!n)
			return text;
		if (*len + (size_t)n > FILE_MAX) {
			complain(l, CNI52, at, path, "has more than 1 GiB");
			return NULL;
		}
		if (memchr(text + *len, '\0', (size_t)n)) { /* no text, and perhaps without an end */
			*len += (size_t)n;
			return text;
		}
	}
}

/* Reads a file into the sources; NULL after a diagnostic. */
static const struct cni_source *read_source(struct loader *l, const struct file *file, const char *path,
					    struct cni_span at)
{
	const struct cni_source *source;
	const char *text, *nul;
	size_t len;

	text = read_all(l, file, path, at, &len);
	if (!text)
		return NULL;
	source = cni_source_add(l->arena, &l->policy->sources, path, text, len);
	if (!source) {
		complain(l, CNI52, at, path, "all texts together have more than 4 GiB");
		return NULL;
	}
	nul = memchr(text, '\0', len);
	if (nul) {
		uint32_t offset = source->base + (uint32_t)(nul - text);

		complain(l, CNI57, (struct cni_span){ offset, offset + 1 }, path, "is no text: here is a NUL byte");
		return NULL;
	}
	return source;
}

static struct known *find(struct loader *l, const struct stat *st, bool is_set)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i].device == st->st_dev && l->files[i].inode == st->st_ino && l->files[i].is_set == is_set)
			return &l->files[i];
	return NULL;
}

/* A new entry for a file, or NULL after a diagnostic. The table has its full size from the start, so that entries
 * stay where they are. */
static struct known *remember(struct loader *l, const struct stat *st, bool is_set, const char *path,
			      struct cni_span at)
{
	struct known *known;

	if (l->n_files == FILES_MAX) {
		complain(l, CNI55, at, path, "is one file too many: one run reads 4096");
		return NULL;
	}
	known = &l->files[l->n_files++];
	*known = (struct known){ .device = st->st_dev, .inode = st->st_ino, .is_set = is_set };
	return known;
}

/* ---- what a text names ---- */

/* As it is seen from the folder of the file that names it. */
static const char *path_from(struct loader *l, const char *base, const char *path)
{
	const char *slash = strrchr(base, '/');

	if (*path == '/' || !slash)
		return path;
	return cni_printf(l->arena, "%.*s%s", (int)(slash + 1 - base), base, path);
}

static const struct cni_ranges *load_set(struct loader *l, const char *path, struct cni_span at)
{
	const struct cni_source *source;
	struct known *known;
	struct file file;

	if (!open_file(l, path, at, false, &file))
		return NULL;
	known = find(l, &file.st, true);
	if (!known) {
		known = remember(l, &file.st, true, path, at);
		source = known ? read_source(l, &file, path, at) : NULL;
		if (source)
			known->set = cni_parse_prefixes(l->arena, source, &l->policy->diags);
	}
	close(file.fd);
	return known ? known->set : NULL;
}

static void load_sets(struct loader *l, struct cni_ast_value *values, const char *base)
{
	for (struct cni_ast_value *v = values; v; v = v->next) {
		if (v->kind == CNI_VALUE_FILE)
			v->file = load_set(l, path_from(l, base, v->text), v->span);
		load_sets(l, v->list, base);
	}
}

static void load_match_sets(struct loader *l, const struct cni_ast_match *matches, const char *base)
{
	for (const struct cni_ast_match *m = matches; m; m = m->next)
		load_sets(l, m->values, base);
}

/* Sets stand in definitions, variables and matches. */
static void load_sets_of(struct loader *l, const struct cni_ast_decl *decl, const char *base)
{
	load_sets(l, decl->values, base);
	load_match_sets(l, decl->matches, base);
	for (const struct cni_ast_route *r = decl->routes; r; r = r->next)
		load_match_sets(l, r->matches, base);
}

static void take(struct loader *l, struct cni_ast_decl *decls, const struct chain *chain)
{
	for (struct cni_ast_decl *d = decls, *next; d; d = next) {
		next = d->next;
		d->next = NULL;
		if (d->kind == CNI_DECL_INCLUDE) {
			load_text(l, path_from(l, chain->path, d->values->text), d->values->span, chain);
			continue;
		}
		load_sets_of(l, d, chain->path);
		*l->tail = d;
		l->tail = &d->next;
	}
}

/* ---- files ---- */

/* "a.cni → b.cni → a.cni", from the file that comes again to where it does. */
static const char *cycle_of(struct loader *l, const struct chain *chain, const struct known *file, const char *path)
{
	const char *text = path;

	for (const struct chain *c = chain; c; c = c->outer) {
		text = cni_printf(l->arena, "%s → %s", c->path, text);
		if (c->file == file)
			break;
	}
	return text;
}

static bool is_open(const struct chain *chain, const struct known *file)
{
	while (chain && chain->file != file)
		chain = chain->outer;
	return chain;
}

static void load_opened(struct loader *l, const struct file *file, const char *path, struct cni_span at,
			const struct chain *outer)
{
	struct chain chain = { .path = path, .at = at, .depth = outer ? outer->depth + 1 : 0, .outer = outer };
	struct known *known = find(l, &file->st, false);
	struct cni_ast_decl *decls = NULL, **tail = &decls;
	const struct cni_source *source;

	if (known && is_open(outer, known))
		cni_diag(&l->policy->diags, CNI53, at, "the includes form a cycle: %s",
			 cycle_of(l, outer, known, path));
	if (known)
		return;
	if (chain.depth > INCLUDE_MAX) {
		complain(l, CNI54, at, path, "files include files to 64 levels");
		return;
	}
	known = remember(l, &file->st, false, path, at);
	if (!known)
		return;
	chain.file = known;
	source = read_source(l, file, path, at);
	if (!source || l->texts_only)
		return;
	cni_parse(l->arena, source, &l->policy->diags, &tail);
	take(l, decls, &chain);
}

static void load_text(struct loader *l, const char *path, struct cni_span at, const struct chain *outer)
{
	struct file file;

	if (!open_file(l, path, at, false, &file))
		return;
	load_opened(l, &file, path, at, outer);
	close(file.fd);
}

static void load_stdin(struct loader *l)
{
	static const struct cni_span nowhere;
	struct file file;

	if (l->stdin_read) {
		complain(l, CNI58, nowhere, "-", "standard input is named twice");
		return;
	}
	l->stdin_read = true;
	if (!open_file(l, "standard input", nowhere, true, &file))
		return;
	load_opened(l, &file, "<stdin>", nowhere, NULL);
	close(file.fd);
}

static int is_policy(const struct dirent *entry)
{
	const char *point = strrchr(entry->d_name, '.');

	return *entry->d_name != '.' && point && !strcmp(point, ".cni");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort(): the locale has no say */
}

static void load_folder(struct loader *l, const char *folder)
{
	static const struct cni_span nowhere;
	struct dirent **entries;
	int n = scandir(folder, &entries, is_policy, by_name);

	if (n < 0) {
		complain(l, CNI50, nowhere, folder, strerror(errno));
		return;
	}
	if (!n)
		complain(l, CNI56, nowhere, folder, "has no file *.cni");
	for (int i = 0; i < n; i++) {
		bool slash = folder[strlen(folder) - 1] == '/';

		load_text(l, cni_printf(l->arena, "%s%s%s", folder, slash ? "" : "/", entries[i]->d_name), nowhere,
			  NULL);
		free(entries[i]);
	}
	free(entries);
}

static void load_path(struct loader *l, const char *path)
{
	static const struct cni_span nowhere;
	struct stat st;

	if (!strcmp(path, "-"))
		load_stdin(l);
	else if (!stat(path, &st) && S_ISDIR(st.st_mode))
		load_folder(l, path);
	else
		load_text(l, path, nowhere, NULL);
}

/* ---- --set NAME=VALUE ---- */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

static bool is_name(const char *text, size_t len)
{
	return strspn(text, LETTERS) && strspn(text, LETTERS "0123456789-") == len;
}

static void load_setting(struct loader *l, const char *text)
{
	static const struct cni_span nowhere;
	const char *equals = strchr(text, '=');
	struct cni_setting *setting;
	const struct cni_source *source;
	struct cni_ast_value *parsed;
	struct cni_diags unseen; /* the resolver tells of a value that is none */

	if (!equals || !is_name(text, (size_t)(equals - text))) {
		complain(l, CNI59, nowhere, text, "a variable is set as --set NAME=VALUE");
		return;
	}
	source = cni_source_add(l->arena, &l->policy->sources, cni_printf(l->arena, "--set %s", text), equals + 1,
				strlen(equals + 1));
	if (!source) {
		complain(l, CNI52, nowhere, text, "all texts together have more than 4 GiB");
		return;
	}
	cni_diags_init(&unseen, l->arena);
	parsed = cni_parse_value(l->arena, source, &unseen);
	if (parsed)
		load_sets(l, parsed, "");
	setting = cni_push(l->arena, l->policy->settings, l->policy->n_settings);
	setting->name = cni_strndup(l->arena, text, (size_t)(equals - text));
	setting->value = equals + 1;
	setting->parsed = parsed;
}

struct rt_policy *rt_load(struct cni_arena *arena, const char *const *paths, size_t n_paths, const char *const *sets,
			  size_t n_sets)
{
	struct rt_policy *policy = cni_new(arena, struct rt_policy);
	struct loader l = { .arena = arena, .policy = policy, .tail = &policy->ast.decls };

	cni_diags_init(&policy->diags, arena);
	l.files = cni_new_array(arena, struct known, FILES_MAX);
	for (size_t i = 0; i < n_sets; i++)
		load_setting(&l, sets[i]);
	for (size_t i = 0; i < n_paths; i++)
		load_path(&l, paths[i]);
	return policy;
}

struct rt_policy *rt_load_texts(struct cni_arena *arena, const char *const *paths, size_t n_paths)
{
	struct rt_policy *policy = cni_new(arena, struct rt_policy);
	struct loader l = { .arena = arena, .policy = policy, .texts_only = true };

	cni_diags_init(&policy->diags, arena);
	l.files = cni_new_array(arena, struct known, FILES_MAX);
	for (size_t i = 0; i < n_paths; i++)
		load_path(&l, paths[i]);
	return policy;
}
