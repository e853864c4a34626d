/* SPDX-License-Identifier: GPL-2.0-or-later */
/* diff.c - `cnic diff`: which packets two policies treat differently; at choice their texts, and the rules that they
 * become on an empty router. */
#include <stdlib.h>
#include <string.h>

#include "compiler/emit/emit.h"
#include "compiler/space/space.h"
#include "runtime/commands/line_diff.h"
#include "runtime/commands/meaning.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/side.h"
#include "runtime/json/envelope.h"

struct text {
	const char *key; /* by which the other side's is found */
	const char *path;
	const char *name; /* the path, with the revision that it is of */
	const char *data;
	size_t len;
};

struct texts {
	struct text *items; /* by key */
	size_t n_items;
};

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

static struct texts collect(struct cni_arena *arena, const struct rt_side *side, bool single)
{
	const struct rt_origin *origin = &side->origin;
	struct cni_text sets = { .arena = arena };
	struct texts texts = { 0 };

	for (size_t i = 0; i < origin->n_sets; i++)
		cni_text_printf(&sets, "%s\n", origin->sets[i]);
	if (sets.len)
		*cni_push(arena, texts.items, texts.n_items) =
			(struct text){ "--set", "--set", "--set", sets.data, sets.len };
	for (size_t i = 0; origin->n_tops && i < origin->n_paths; i++) {
		const struct rt_text *text = &origin->texts[origin->paths[i].text];
		const char *path = origin->paths[i].path;

		*cni_push(arena, texts.items, texts.n_items) =
			(struct text){ key_of(origin, path, single), path, path, text->data, text->len };
	}
	for (size_t i = 0; i < texts.n_items; i++)
		texts.items[i].name = cni_printf(arena, "%s%s", side->prefix, texts.items[i].path);
	if (texts.n_items)
		qsort(texts.items, texts.n_items, sizeof(*texts.items), by_key);
	return texts;
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

static void compare_texts(struct result *result, const struct texts *old, const struct texts *new)
{
	size_t i = 0, j = 0;

	while (i < old->n_items || j < new->n_items) {
		int order = i == old->n_items ? 1 : j == new->n_items ? -1 : by_key(&old->items[i], &new->items[j]);

		compare(result, order <= 0 ? &old->items[i] : NULL, order >= 0 ? &new->items[j] : NULL);
		i += order <= 0;
		j += order >= 0;
	}
}

static void show(struct rt_session *session, const char *heading, const struct cni_text *diff)
{
	cni_text_printf(&session->out, "%s%s%s\n", session->out.len ? "\n" : "", heading,
			diff->len ? ":" : ": the same");
	if (diff->len)
		cni_text_add(&session->out, diff->data, diff->len);
}

/* ---- rules ---- */

struct rules {
	struct cni_text nft, ip;
};

/* The rules of a router without a policy are none. */
static bool rules_of(struct rt_session *session, const struct cni_model *model, struct rules *rules)
{
	const struct cni_state *state = model ? rt_pipeline_state(session, model) : NULL;

	rules->nft.arena = rules->ip.arena = session->arena;
	cni_text_puts(&rules->nft, "");
	cni_text_puts(&rules->ip, "");
	if (!model)
		return true;
	if (!state)
		return false;
	cni_emit_nft(&rules->nft, state);
	cni_emit_ip(&rules->ip, state);
	return true;
}

static struct cni_text compare_rules(struct rt_session *session, const struct rt_side sides[2], const char *language,
				     const struct cni_text *old, const struct cni_text *new)
{
	struct cni_text diff = { .arena = session->arena };

	cni_text_puts(&diff, "");
	rt_line_diff(&diff, cni_printf(session->arena, "%s (%s)", sides[0].operand, language), old->data, old->len,
		     cni_printf(session->arena, "%s (%s)", sides[1].operand, language), new->data, new->len);
	return diff;
}

static bool show_rules(struct rt_session *session, const struct rt_side sides[2])
{
	struct rules rules[2] = { 0 };
	struct cni_text nft, ip;

	if (!rules_of(session, sides[0].model, &rules[0]) || !rules_of(session, sides[1].model, &rules[1]))
		return false;
	nft = compare_rules(session, sides, "nft", &rules[0].nft, &rules[1].nft);
	ip = compare_rules(session, sides, "ip", &rules[0].ip, &rules[1].ip);
	show(session, "nftables rules on an empty router", &nft);
	show(session, "Devices, routes and ip rules on an empty router", &ip);
	rt_session_json(
		session, "rules",
		json_pack("{s:o, s:o}", "nft", rt_json_textn(nft.data, nft.len), "ip", rt_json_textn(ip.data, ip.len)));
	rt_session_json(session, "same_rules", json_boolean(!nft.len && !ip.len));
	return true;
}

/* ---- the command ---- */

static bool makes_sense(struct rt_session *session, const struct rt_side sides[2])
{
	if (!rt_side_takes_sets(&sides[0]) && !rt_side_takes_sets(&sides[1]) && session->options->sets.n_items)
		rt_fail(session, "diff: --set is for files; a revision has its own");
	else if (!strcmp(sides[0].operand, "-") && !strcmp(sides[1].operand, "-"))
		rt_fail(session, "diff: standard input can be read once");
	return !session->failure;
}

/* Meaning first; texts and rules where they are asked for, or all that there is to say. */
static enum rt_exit differ(struct rt_session *session, const struct rt_side sides[2])
{
	const struct rt_options *options = session->options;
	const bool single = sides[0].origin.n_tops == 1 && sides[1].origin.n_tops == 1;
	const struct texts old = collect(session->arena, &sides[0], single);
	const struct texts new = collect(session->arena, &sides[1], single);
	struct result result = { .texts.arena = session->arena, .list = json_array() };
	struct rt_meant meant[2];
	enum rt_same same;
	size_t n_texts;

	for (size_t i = 0; i < 2; i++)
		meant[i] = (struct rt_meant){ sides[i].model, sides[i].sources };
	compare_texts(&result, &old, &new);
	n_texts = json_array_size(result.list);
	rt_session_json(session, "texts", result.list);
	rt_session_json(session, "same_texts", json_boolean(!n_texts));
	if (!rt_show_meaning(session, &meant[0], &meant[1], !n_texts, CNI_DEFAULT_NODES, &same))
		return RT_USAGE;
	if (options->text || same == RT_UNKNOWN)
		show(session, "Texts", &result.texts);
	if ((options->rules || options->json || same == RT_UNKNOWN) && !show_rules(session, sides))
		return RT_ERROR;
	if (n_texts && !options->text && !options->rules && same != RT_UNKNOWN)
		cni_text_printf(&session->out,
				"\nTexts: %zu differ%s; --text shows how, --rules what becomes of them\n", n_texts,
				n_texts == 1 ? "s" : "");
	return n_texts && options->detailed_exitcode ? RT_CHANGES : RT_OK;
}

enum rt_exit rt_diff(struct rt_session *session)
{
	struct rt_side sides[] = { rt_side_of(session->options->operands[0]),
				   rt_side_of(session->options->operands[1]) };

	if (!makes_sense(session, sides))
		return RT_USAGE;
	if (!rt_side_load(session, &sides[0]) || !rt_side_load(session, &sides[1]))
		return RT_ERROR;
	return differ(session, sides);
}
