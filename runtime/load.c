/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.c - paths to one ast; see load.h. The includes that are open form a chain, in which a file that comes again is
 * a cycle. */
#include "runtime/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/arena.h"
#include "compiler/model.h"
#include "grammar/parse.h"
#include "runtime/git.h"
#include "runtime/texts.h"

#define INCLUDE_MAX 64u

struct chain { /* the includes that are open, innermost first */
	const struct rt_file *file;
	const char *path;
	struct cni_span at; /* the include that names it */
	unsigned int depth;
	const struct chain *outer;
};

struct loader {
	struct cni_arena *arena;
	struct rt_policy *policy;
	struct rt_texts texts;
	bool stdin_read;
	bool texts_only; /* nothing is parsed, so that nothing is included */
	struct cni_ast_decl **tail;
};

static const struct cni_span nowhere;

static void load_text(struct loader *l, const char *path, struct cni_span at, const struct chain *outer);

static void complain(struct loader *l, enum cni_code code, struct cni_span at, const char *path, const char *what)
{
	cni_diag(&l->policy->diags, code, at, "%s: %s", path, what);
}

/* Puts a file among the sources; NULL after a diagnostic, which may be an earlier one. */
static const struct cni_source *add_source(struct loader *l, const struct rt_file *file, const char *path,
					   struct cni_span at)
{
	const struct cni_source *source;
	const char *nul;

	if (!file->data)
		return NULL;
	source = cni_source_add(l->arena, &l->policy->sources, path, file->data, file->len);
	if (!source) {
		complain(l, CNI52, at, path, "all texts together have more than 4 GiB");
		return NULL;
	}
	nul = memchr(file->data, '\0', file->len);
	if (nul) {
		uint32_t offset = source->base + (uint32_t)(nul - file->data);

		complain(l, CNI57, (struct cni_span){ offset, offset + 1 }, path, "is no text: here is a NUL byte");
		return NULL;
	}
	return source;
}

/* ---- what a text names ---- */

/* A file may have the name that stands for standard input. */
static const char *never_stdin(const char *path)
{
	return strcmp(path, RT_STDIN_NAME) ? path : "./" RT_STDIN_NAME;
}

/* As it is seen from the folder of the file that names it. */
static const char *path_from(struct loader *l, const char *base, const char *path)
{
	const char *slash = strrchr(base, '/');

	if (*path == '/' || !slash)
		return never_stdin(path);
	return cni_printf(l->arena, "%.*s%s", (int)(slash + 1 - base), base, path);
}

static const struct cni_ranges *load_set(struct loader *l, const char *path, struct cni_span at)
{
	struct rt_file *file = rt_texts_find(&l->texts, path, at);
	const struct cni_source *source;

	if (!file)
		return NULL;
	if (!file->is_set_loaded) {
		file->is_set_loaded = true;
		source = add_source(l, file, path, at);
		if (source)
			file->set = cni_parse_prefixes(l->arena, source, &l->policy->diags);
	}
	return file->set;
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
static const char *cycle_of(struct loader *l, const struct chain *chain, const struct rt_file *file, const char *path)
{
	const char *text = path;

	for (const struct chain *c = chain; c; c = c->outer) {
		text = cni_printf(l->arena, "%s → %s", c->path, text);
		if (c->file == file)
			break;
	}
	return text;
}

static bool is_open(const struct chain *chain, const struct rt_file *file)
{
	while (chain && chain->file != file)
		chain = chain->outer;
	return chain;
}

static void load_file(struct loader *l, struct rt_file *file, const char *path, struct cni_span at,
		      const struct chain *outer)
{
	const struct chain chain = {
		.file = file, .path = path, .at = at, .depth = outer ? outer->depth + 1 : 0, .outer = outer
	};
	struct cni_ast_decl *decls = NULL, **tail = &decls;
	const struct cni_source *source;

	if (is_open(outer, file))
		cni_diag(&l->policy->diags, CNI53, at, "the includes form a cycle: %s", cycle_of(l, outer, file, path));
	if (file->is_loaded)
		return;
	if (chain.depth > INCLUDE_MAX) {
		complain(l, CNI54, at, path, "files include files to 64 levels");
		return;
	}
	file->is_loaded = true;
	source = add_source(l, file, path, at);
	if (!source || l->texts_only)
		return;
	cni_parse(l->arena, source, &l->policy->diags, &tail);
	take(l, decls, &chain);
}

static void load_text(struct loader *l, const char *path, struct cni_span at, const struct chain *outer)
{
	struct rt_file *file = rt_texts_find(&l->texts, path, at);

	if (file)
		load_file(l, file, path, at, outer);
}

/* ---- what the command line names ---- */

static void load_top(struct loader *l, const char *path)
{
	*cni_push(l->arena, l->policy->origin.tops, l->policy->origin.n_tops) = path;
	load_text(l, path, nowhere, NULL);
}

static void load_stdin(struct loader *l)
{
	if (l->stdin_read) {
		complain(l, CNI58, nowhere, "-", "standard input is named twice");
		return;
	}
	l->stdin_read = true;
	if (rt_texts_stdin(&l->texts))
		load_top(l, RT_STDIN_NAME);
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

		load_top(l, cni_printf(l->arena, "%s%s%s", folder, slash ? "" : "/", entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
}

static void load_path(struct loader *l, const char *path)
{
	struct stat st;

	if (!strcmp(path, "-"))
		load_stdin(l);
	else if (!stat(path, &st) && S_ISDIR(st.st_mode))
		load_folder(l, path);
	else
		load_top(l, never_stdin(path));
}

/* ---- --set NAME=VALUE ---- */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

static bool is_name(const char *text, size_t len)
{
	return strspn(text, LETTERS) && strspn(text, LETTERS "0123456789-") == len;
}

static void load_setting(struct loader *l, const char *text)
{
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

/* ---- a whole policy ---- */

static struct loader begin(struct cni_arena *arena)
{
	struct rt_policy *policy = cni_new(arena, struct rt_policy);

	cni_diags_init(&policy->diags, arena);
	return (struct loader){ .arena = arena, .policy = policy, .tail = &policy->ast.decls };
}

static struct rt_policy *end(struct loader *l)
{
	struct rt_origin *origin = &l->policy->origin;

	for (size_t i = 0; i < l->texts.n_files; i++)
		*cni_push(l->arena, origin->texts, origin->n_texts) =
			(struct rt_text){ l->texts.files[i].data, l->texts.files[i].len };
	origin->paths = l->texts.paths;
	origin->n_paths = l->texts.n_paths;
	rt_texts_end(&l->texts);
	return l->policy;
}

static void load_settings(struct loader *l, const char *const *sets, size_t n_sets)
{
	struct rt_origin *origin = &l->policy->origin;

	for (size_t i = 0; i < n_sets; i++) {
		*cni_push(l->arena, origin->sets, origin->n_sets) = sets[i];
		load_setting(l, sets[i]);
	}
}

struct rt_policy *rt_load(struct cni_arena *arena, const char *const *paths, size_t n_paths, const char *const *sets,
			  size_t n_sets)
{
	struct loader l = begin(arena);

	rt_texts_init(&l.texts, arena, &l.policy->diags);
	load_settings(&l, sets, n_sets);
	for (size_t i = 0; i < n_paths; i++)
		load_path(&l, paths[i]);
	return end(&l);
}

struct rt_policy *rt_load_git(struct cni_arena *arena, const char *operand, const char *const *sets, size_t n_sets)
{
	struct loader l = begin(arena);
	struct rt_git git;

	if (!rt_git_find(arena, &l.policy->diags, operand, &git))
		return l.policy;
	rt_git_texts(&l.texts, arena, &l.policy->diags, &git);
	load_settings(&l, sets, n_sets);
	for (size_t i = 0; i < git.n_paths; i++)
		load_top(&l, git.paths[i]);
	return end(&l);
}

struct rt_policy *rt_load_origin(struct cni_arena *arena, const struct rt_origin *origin)
{
	struct loader l = begin(arena);

	rt_texts_init_origin(&l.texts, arena, &l.policy->diags, origin);
	load_settings(&l, origin->sets, origin->n_sets);
	for (size_t i = 0; i < origin->n_tops; i++)
		load_top(&l, origin->tops[i]);
	return end(&l);
}

struct rt_policy *rt_load_texts(struct cni_arena *arena, const char *const *paths, size_t n_paths)
{
	struct loader l = begin(arena);

	rt_texts_init(&l.texts, arena, &l.policy->diags);
	l.texts_only = true;
	for (size_t i = 0; i < n_paths; i++)
		load_path(&l, paths[i]);
	return end(&l);
}
