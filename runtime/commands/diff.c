/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.c - `cnic diff`: two policies by their texts, and by the rules that they become on an empty router. */
#include <stdlib.h>
#include <string.h>

#include "compiler/emit/emit.h"
#include "runtime/commands/line_diff.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/revision.h"
#include "runtime/json/envelope.h"

struct text {
	const char *key; /* by which the other side's is found */
	const char *path;
	const char *name; /* the path, with the revision that it is of */
	const char *data;
	size_t len;
};

struct side {
	const char *operand;
	bool is_revision;
	unsigned int number;
	struct rt_origin origin;
	struct text *texts; /* by key */
	size_t n_texts;
	struct cni_text nft, ip;
};

/* ---- the two policies ---- */

static bool load_revision(struct rt_session *session, struct side *side, const struct cni_model **model)
{
	const struct rt_revision *revision;
	struct rt_store *store;

	if (rt_store_open(session, &store))
		return false;
	if (!store) {
		cni_diag(session->diags, CNI714, (struct cni_span){ 0 }, RT_NO_STORE);
		return false;
	}
	revision = rt_revision_read(store, side->number);
	if (!revision)
		return false;
	side->origin = revision->origin;
	return rt_revision_model(session, revision, model);
}

static bool load_files(struct rt_session *session, struct side *side, const struct cni_model **model)
{
	const struct rt_words *sets = &session->options->sets;
	struct rt_policy *policy = rt_load(session->arena, &side->operand, 1, sets->items, sets->n_items);

	*model = rt_pipeline_resolve(session, policy);
	side->origin = policy->origin;
	return *model;
}

/* The rules of a router without a policy are none. */
static bool load(struct rt_session *session, struct side *side)
{
	const struct cni_model *model;
	const struct cni_state *state;

	if (!(side->is_revision ? load_revision : load_files)(session, side, &model))
		return false;
	side->nft.arena = side->ip.arena = session->arena;
	cni_text_puts(&side->nft, "");
	cni_text_puts(&side->ip, "");
	if (!model)
		return true;
	state = rt_pipeline_state(session, model);
	if (!state)
		return false;
	cni_emit_nft(&side->nft, state);
	cni_emit_ip(&side->ip, state);
	return true;
}

/* ---- which text belongs to which ---- */

/* Seen from the folder of the first file: policies are compared wherever they lie. */
static const char *key_of(const struct rt_origin *origin, const char *path, bool single)
{
	const char *top = origin->tops[0], *slash = strrchr(top, '/');
	size_t len = slash ? (size_t)(slash + 1 - top) : 0;

	if (single && !strcmp(path, top))
		return ""; /* one file against one file, whatever they are called */
	return strncmp(path, top, len) ? path : path + len;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct text *)a)->key, ((const struct text *)b)->key);
}

static void collect(struct cni_arena *arena, struct side *side, bool single)
{
	const struct rt_origin *origin = &side->origin;
	struct cni_text sets = { .arena = arena };

	for (size_t i = 0; i < origin->n_sets; i++)
		cni_text_printf(&sets, "%s\n", origin->sets[i]);
	if (sets.len)
		*cni_push(arena, side->texts, side->n_texts) =
			(struct text){ "--set", "--set", "--set", sets.data, sets.len };
	for (size_t i = 0; origin->n_tops && i < origin->n_paths; i++) {
		const struct rt_text *text = &origin->texts[origin->paths[i].text];
		const char *path = origin->paths[i].path;

		*cni_push(arena, side->texts, side->n_texts) =
			(struct text){ key_of(origin, path, single), path, path, text->data, text->len };
	}
	for (size_t i = 0; side->is_revision && i < side->n_texts; i++)
		side->texts[i].name = cni_printf(arena, "%s:%s", side->operand, side->texts[i].path);
	if (side->n_texts)
		qsort(side->texts, side->n_texts, sizeof(*side->texts), by_key);
}

/* ---- what differs ---- */

struct result {
	struct cni_text texts; /* all diffs of texts */
	json_t *list;
};

static void compare(struct result *result, const struct text *old, const struct text *new)
{
	static const struct text none = { .name = "/dev/null", .data = "" };
	struct cni_text diff = { .arena = result->texts.arena };
	const struct text *a = old ? old : &none, *b = new ? new : &none;

	if (a->len == b->len && !memcmp(a->data, b->data, a->len))
		return;
	rt_line_diff(&diff, a->name, a->data, a->len, b->name, b->data, b->len);
	cni_text_add(&result->texts, diff.data, diff.len);
	json_array_append_new(result->list, json_pack("{s:o, s:o}", "path", rt_json_text((new ? b : a)->path), "diff",
						      rt_json_textn(diff.data, diff.len)));
}

static void compare_texts(struct result *result, const struct side *old, const struct side *new)
{
	size_t i = 0, j = 0;

	while (i < old->n_texts || j < new->n_texts) {
		int order = i == old->n_texts ? 1 : j == new->n_texts ? -1 : by_key(&old->texts[i], &new->texts[j]);

		compare(result, order <= 0 ? &old->texts[i] : NULL, order >= 0 ? &new->texts[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

static struct cni_text compare_rules(struct rt_session *session, const struct side sides[2], const char *language,
				     const struct cni_text *old, const struct cni_text *new)
{
	struct cni_text diff = { .arena = session->arena };

	cni_text_puts(&diff, "");
	rt_line_diff(&diff, cni_printf(session->arena, "%s (%s)", sides[0].operand, language), old->data, old->len,
		     cni_printf(session->arena, "%s (%s)", sides[1].operand, language), new->data, new->len);
	return diff;
}

static void show(struct rt_session *session, const char *heading, const struct cni_text *diff)
{
	cni_text_printf(&session->out, "%s%s%s\n", session->out.len ? "\n" : "", heading,
			diff->len ? ":" : ": the same");
	if (diff->len)
		cni_text_add(&session->out, diff->data, diff->len);
}

static bool differ(struct rt_session *session, const struct side sides[2])
{
	struct result result = { .texts.arena = session->arena, .list = json_array() };
	struct cni_text nft = compare_rules(session, sides, "nft", &sides[0].nft, &sides[1].nft);
	struct cni_text ip = compare_rules(session, sides, "ip", &sides[0].ip, &sides[1].ip);

	compare_texts(&result, &sides[0], &sides[1]);
	show(session, "Texts", &result.texts);
	show(session, "nftables rules on an empty router", &nft);
	show(session, "Devices, routes and ip rules on an empty router", &ip);
	rt_session_json(session, "texts", result.list);
	rt_session_json(
		session, "rules",
		json_pack("{s:o, s:o}", "nft", rt_json_textn(nft.data, nft.len), "ip", rt_json_textn(ip.data, ip.len)));
	rt_session_json(session, "same_texts", json_boolean(!result.texts.len));
	rt_session_json(session, "same_rules", json_boolean(!nft.len && !ip.len));
	return result.texts.len || nft.len || ip.len;
}

/* ---- the command ---- */

static bool makes_sense(struct rt_session *session, const struct side sides[2])
{
	if (sides[0].is_revision && sides[1].is_revision && session->options->sets.n_items)
		rt_fail(session, "diff: --set is for files; a revision has its own");
	else if (!strcmp(sides[0].operand, "-") && !strcmp(sides[1].operand, "-"))
		rt_fail(session, "diff: standard input can be read once");
	return !session->failure;
}

enum rt_exit rt_diff(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	struct side sides[2] = { 0 };
	bool single;

	for (size_t i = 0; i < 2; i++) {
		sides[i].operand = options->operands[i];
		sides[i].is_revision = rt_revision_parse(sides[i].operand, &sides[i].number);
	}
	if (!makes_sense(session, sides))
		return RT_USAGE;
	if (!load(session, &sides[0]) || !load(session, &sides[1]))
		return RT_ERROR;
	single = sides[0].origin.n_tops == 1 && sides[1].origin.n_tops == 1;
	for (size_t i = 0; i < 2; i++)
		collect(session->arena, &sides[i], single);
	return differ(session, sides) && options->detailed_exitcode ? RT_CHANGES : RT_OK;
}
