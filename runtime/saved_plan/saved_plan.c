/* SPDX-License-Identifier: GPL-2.0-or-later */
/* saved_plan.c - writing a plan with all that it depends on, and telling what of that has moved; see saved_plan.h. */
#include "runtime/saved_plan/saved_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/commands/output.h"
#include "runtime/commands/pipeline.h"
#include "runtime/json/envelope.h"
#include "runtime/json/plan_json.h"
#include "runtime/saved_plan/document.h"

#define SIZE_LIMIT ((size_t)256 << 20) /* bytes: a plan of half a million steps */
#define SHOWN_MAX 3 /* of what differs */

static const struct cni_span nowhere;

/* ---- writing ---- */

static void take_texts(struct cni_arena *arena, const struct rt_origin *origin, struct rt_saved_plan *saved)
{
	saved->texts = cni_new_array(arena, struct rt_saved_text, origin->n_paths);
	saved->n_texts = origin->n_paths;
	for (size_t i = 0; i < origin->n_paths; i++) {
		const struct rt_text *text = &origin->texts[origin->paths[i].text];
		char *digest = cni_alloc(arena, RT_DIGEST_TEXT);

		rt_digest_bytes(text->data, text->len, digest);
		saved->texts[i] = (struct rt_saved_text){ origin->paths[i].path, text->len, digest };
	}
}

static bool is_from_files(const struct rt_options *options)
{
	for (size_t i = 0; i < options->n_operands; i++)
		if (!strcmp(options->operands[i], "-"))
			return false;
	return true;
}

static bool write_document(struct rt_session *session, const char *path, const struct rt_saved_plan *saved,
			   const struct cni_plan *plan)
{
	struct cni_text text = { .arena = session->arena };
	json_t *document = rt_saved_write(saved, rt_json_plan(session->arena, plan, session->sources));
	mode_t former;
	int rc;

	if (!document) {
		rt_fail(session, "%s: a path or a value of the policy is not UTF-8", path);
		return false;
	}
	rt_json_print(&text, document);
	json_decref(document);
	former = umask(077); /* a policy may be nobody else's business */
	rc = rt_write_file(path, text.data, text.len);
	umask(former);
	if (rc)
		rt_fail(session, "cannot write %s: %s", path, strerror(-rc));
	return !rc;
}

struct digests {
	char state[RT_DIGEST_TEXT], steps[RT_DIGEST_TEXT];
};

/* Of a plan that leaves out of account which flows there are, and what is down. */
static bool take_digests(struct rt_session *session, const struct cni_model *model, const struct cni_state *observed,
			 struct digests *digests)
{
	const struct cni_prior prior = { .observed = observed, .keep_former = true };
	const struct cni_state *desired = rt_pipeline_desired(session, model, &prior);
	const struct cni_plan *plan =
		desired ? cni_plan_as_up(session->arena, observed, desired, session->diags) : NULL;

	if (!plan || session->diags->n_errors)
		return false;
	if (rt_digest_state(session->arena, plan->observed, digests->state) &&
	    rt_digest_plan(session->arena, plan, digests->steps))
		return true;
	rt_fail(session, "not enough memory");
	return false;
}

bool rt_saved_plan_write(struct rt_session *session, const char *path, const struct cni_model *model,
			 const struct cni_plan *plan)
{
	const struct rt_options *options = session->options;
	struct digests digests;
	char directory[PATH_MAX];
	struct rt_saved_plan saved = {
		.directory = getcwd(directory, sizeof(directory)),
		.operands = options->operands,
		.n_operands = options->n_operands,
		.sets = options->sets.items,
		.n_sets = options->sets.n_items,
		.state = digests.state,
		.steps = digests.steps,
	};

	if (!is_from_files(options)) {
		rt_fail(session, "%s: a policy from standard input cannot be read again when its plan is applied",
			path);
		return false;
	}
	if (!saved.directory) {
		rt_fail(session, "the working directory: %s", strerror(errno));
		return false;
	}
	take_texts(session->arena, &session->policy->origin, &saved);
	return take_digests(session, model, plan->observed, &digests) && write_document(session, path, &saved, plan);
}

/* ---- reading ---- */

bool rt_saved_plan_is(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char first[64];
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		n = read(fd, first, sizeof(first));
	close(fd);
	for (ssize_t i = 0; i < n; i++)
		if (!strchr(" \t\r\n", first[i]))
			return first[i] == '{';
	return false;
}

static const struct cni_source *read_text(struct rt_session *session, const char *path)
{
	const struct rt_policy *file;
	struct stat st;

	if (!stat(path, &st) && st.st_size > (off_t)SIZE_LIMIT) {
		cni_diag(session->diags, CNI718, nowhere, "%s: has more than %zu MiB", path, SIZE_LIMIT >> 20);
		return NULL;
	}
	file = rt_load_texts(session->arena, &path, 1);
	for (const struct cni_diag *d = file->diags.first; d; d = d->next)
		cni_diag(session->diags, d->code, nowhere, "%s", d->message);
	return file->diags.n_errors || file->sources.n_items != 1 ? NULL : file->sources.items;
}

const struct rt_saved_plan *rt_saved_plan_read(struct rt_session *session, const char *path)
{
	const struct cni_source *text = read_text(session, path);
	struct rt_saved_plan *saved = cni_new(session->arena, struct rt_saved_plan);
	json_error_t error;
	const char *wrong;
	json_t *document;

	if (!text)
		return NULL;
	document = json_loadb(text->text, text->len, JSON_REJECT_DUPLICATES, &error);
	if (!document) {
		cni_diag(session->diags, CNI718, nowhere, "%s:%d:%d: %s", path, error.line, error.column, error.text);
		return NULL;
	}
	wrong = rt_saved_read(session->arena, document, saved);
	json_decref(document);
	if (wrong)
		cni_diag(session->diags, CNI718, nowhere, "%s: %s", path, wrong);
	return wrong ? NULL : saved;
}

/* ---- whether it still holds ---- */

static void tell(struct cni_diags *diags, const char *what, const char *differs)
{
	struct cni_diag *diag = cni_diag(diags, CNI717, nowhere, "since the plan was made, %s", what);

	if (*differs)
		cni_diag_help(diags, diag, "%s; make a new plan: cnic plan -o FILE", differs);
	else
		cni_diag_help(diags, diag, "make a new plan: cnic plan -o FILE");
}

static const char *full(struct cni_arena *arena, const char *directory, const char *path)
{
	return *path == '/' ? path : cni_printf(arena, "%s/%s", directory, path);
}

static const struct rt_saved_text *find_text(const struct rt_saved_plan *now, const char *path)
{
	for (size_t i = 0; i < now->n_texts; i++)
		if (!strcmp(now->texts[i].path, path))
			return &now->texts[i];
	return NULL;
}

/* Names the first texts that are not the same, up to SHOWN_MAX, and counts all. */
static size_t moved_texts(struct cni_text *names, const struct rt_saved_plan *was, const struct rt_saved_plan *now)
{
	size_t n = 0;

	for (size_t i = 0; i < was->n_texts; i++) {
		const struct rt_saved_text *text = find_text(now, was->texts[i].path);

		if (text && text->size == was->texts[i].size && !strcmp(text->digest, was->texts[i].digest))
			continue;
		if (n++ < SHOWN_MAX)
			cni_text_printf(names, "%s`%s`%s", n > 1 ? ", " : "", was->texts[i].path,
					text ? "" : " (no longer read)");
	}
	for (size_t i = 0; i < now->n_texts; i++)
		if (!find_text(was, now->texts[i].path) && n++ < SHOWN_MAX)
			cni_text_printf(names, "%s`%s` (new)", n > 1 ? ", " : "", now->texts[i].path);
	if (n > SHOWN_MAX)
		cni_text_printf(names, " and %zu more", n - SHOWN_MAX);
	return n;
}

static void make_full(struct cni_arena *arena, const char *directory, struct rt_saved_plan *saved)
{
	for (size_t i = 0; i < saved->n_texts; i++)
		saved->texts[i].path = full(arena, directory, saved->texts[i].path);
}

struct rt_policy *rt_saved_plan_load(struct rt_session *session, const struct rt_saved_plan *saved)
{
	struct cni_arena *arena = session->arena;
	const char **operands = cni_new_array(arena, const char *, saved->n_operands);
	struct rt_saved_plan was = *saved, now = { 0 };
	struct cni_text names = { .arena = arena };
	struct rt_policy *policy;
	char here[PATH_MAX];
	bool elsewhere = !getcwd(here, sizeof(here)) || strcmp(here, saved->directory);

	for (size_t i = 0; i < saved->n_operands; i++)
		operands[i] = elsewhere ? full(arena, saved->directory, saved->operands[i]) : saved->operands[i];
	policy = rt_load(arena, operands, saved->n_operands, saved->sets, saved->n_sets);
	if (policy->diags.n_errors) {
		/* it had none when the plan was made */
		session->diags = &policy->diags;
		session->sources = &policy->sources;
		tell(&policy->diags, "the policy has come to have errors", "");
		return NULL;
	}
	take_texts(arena, &policy->origin, &now);
	make_full(arena, saved->directory, &now);
	make_full(arena, saved->directory, &was);
	if (!moved_texts(&names, &was, &now))
		return policy;
	tell(session->diags, cni_printf(arena, "the policy has changed: %s", names.data), "");
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **lines_of(struct rt_session *session, const struct cni_plan *plan, size_t *n)
{
	json_t *json = rt_json_plan(session->arena, plan, session->sources), *steps = json_object_get(json, "steps");
	const char **lines = cni_new_array(session->arena, const char *, json_array_size(steps));

	*n = 0;
	for (size_t i = 0; i < json_array_size(steps); i++) {
		lines[*n] = rt_saved_line(session->arena, json_array_get(steps, i));
		*n += lines[*n] != NULL;
	}
	json_decref(json);
	return lines;
}

/* The lines of `a`, sorted, that are not among those of `b`. */
static void write_missing(struct cni_text *out, const char *head, const char **a, size_t n_a, const char **b,
			  size_t n_b)
{
	size_t shown = 0;

	for (size_t i = 0, j = 0; i < n_a; i++) {
		while (j < n_b && strcmp(b[j], a[i]) < 0)
			j++;
		if (j < n_b && !strcmp(b[j], a[i])) {
			j++;
			continue;
		}
		if (shown++ < SHOWN_MAX)
			cni_text_printf(out, "%s`%s`", shown > 1 ? ", " : head, a[i]);
	}
	if (shown > SHOWN_MAX)
		cni_text_printf(out, " and %zu more", shown - SHOWN_MAX);
}

/* In which steps the two plans differ. */
static const char *differing(struct rt_session *session, const struct rt_saved_plan *saved, const struct cni_plan *plan)
{
	struct cni_text text = { .arena = session->arena };
	size_t n;
	const char **now = lines_of(session, plan, &n), **was = saved->lines;

	if (n)
		qsort(now, n, sizeof(*now), by_text);
	if (saved->n_lines)
		qsort(was, saved->n_lines, sizeof(*was), by_text);
	write_missing(&text, "it would now also ", now, n, was, saved->n_lines);
	write_missing(&text, text.len ? ", and no longer " : "it would no longer ", was, saved->n_lines, now, n);
	return text.len ? text.data : "";
}

bool rt_saved_plan_holds(struct rt_session *session, const struct rt_saved_plan *saved, const struct cni_model *model,
			 const struct cni_plan *plan)
{
	struct digests digests;

	if (!take_digests(session, model, plan->observed, &digests))
		return false;
	if (!strcmp(digests.state, saved->state) && !strcmp(digests.steps, saved->steps))
		return true;
	tell(session->diags,
	     strcmp(digests.state, saved->state) ? "what the router holds of cnic has changed"
						 : "something else on the router has changed that the plan depends on",
	     differing(session, saved, plan));
	session->changed = false;
	return false;
}
