/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meaning.c - see meaning.h. */
#include "compiler/meaning/meaning.h"

#include <string.h>

#include "compiler/arena.h"
#include "compiler/check/evaluate.h"

const struct cni_policy *cni_meaning_policy(const struct cni_model *model, const char *device)
{
	for (size_t i = 0; i < model->n_policies; i++) {
		const struct cni_policy *policy = &model->policies[i];

		if (policy->local && !strcmp(device, "local"))
			return policy;
		for (size_t d = 0; d < policy->n_devices; d++)
			if (!strcmp(policy->devices[d], device))
				return policy;
	}
	return NULL;
}

struct cni_ranges cni_meaning_never(struct cni_arena *arena, const struct cni_model *model)
{
	static const struct cni_prefix everywhere[] = {
		{ { CNI_V4, 0 }, 32 }, /* broadcast's old form: RFC 1122, 3.2.1.3 */
		{ { CNI_V4, 0x7f000000 }, 8 },
		{ { CNI_V6, 1 }, 128 },
	};
	struct cni_ranges never = cni_never_steered(arena, model);

	for (size_t i = 0; i < sizeof(everywhere) / sizeof(*everywhere); i++)
		cni_ranges_add_prefix(arena, &never, everywhere[i]);
	cni_ranges_normalise(&never);
	return never;
}

static struct cni_product product_of(struct cni_spaces *s, enum cni_family family, const struct cni_match *match)
{
	struct cni_match rest = *match;

	rest.has_from = rest.has_to = false;
	return (struct cni_product){ .from = match->has_from ? &match->from : NULL,
				     .to = match->has_to ? &match->to : NULL,
				     .not_from = match->not_from,
				     .not_to = match->not_to,
				     .rest = cni_space_match(s, family, &rest) };
}

struct cni_map cni_meaning_labelled(struct cni_spaces *s, const struct cni_policy *policy,
				    const struct cni_ranges *never, enum cni_family family, const unsigned int *labels)
{
	struct cni_arena *arena = cni_arena_new();
	const size_t mark = cni_spaces_mark(s), n = policy->n_routes;
	struct cni_product *products = cni_new_array(arena, struct cni_product, n + 1);
	struct cni_map map;

	products[0] = (struct cni_product){ .to = never,
					    .rest = cni_space_all(),
					    .then = cni_map_all(s, labels[CNI_LABEL_NEVER]) };
	for (size_t i = 0; i < n && !cni_spaces_failed(s); i++) {
		products[i + 1] = product_of(s, family, &policy->routes[i].match);
		products[i + 1].then = cni_map_all(s, labels[i + 1]);
	}
	map = cni_map_products(s, family, products, n + 1, cni_map_all(s, labels[n + 1]));
	cni_spaces_release(s, mark, map.node);
	cni_arena_free(arena);
	return map;
}

struct cni_map cni_meaning_routes(struct cni_spaces *s, const struct cni_policy *policy, const struct cni_ranges *never,
				  enum cni_family family)
{
	struct cni_arena *arena = cni_arena_new();
	unsigned int *labels = cni_new_array(arena, unsigned int, cni_meaning_n_labels(policy));
	struct cni_map map;

	for (unsigned int i = 0; i < cni_meaning_n_labels(policy); i++)
		labels[i] = i;
	map = policy ? cni_meaning_labelled(s, policy, never, family, labels) : cni_map_all(s, CNI_LABEL_NEVER);
	cni_arena_free(arena);
	return map;
}

unsigned int *cni_meaning_fates(struct cni_fates *fates, const struct cni_model *model, const struct cni_policy *policy,
				enum cni_family family, const bool *down)
{
	unsigned int *table = cni_new_array(fates->arena, unsigned int, cni_meaning_n_labels(policy));

	table[CNI_LABEL_NEVER] = cni_fate_main(fates);
	if (!policy)
		return table;
	for (size_t i = 0; i < policy->n_routes; i++)
		table[i + 1] = cni_fate_route(fates, model, &policy->routes[i], family, down);
	table[policy->n_routes + 1] = cni_fate_verdict(fates, policy->otherwise);
	return table;
}

struct cni_span cni_meaning_span(const struct cni_policy *policy, unsigned int label)
{
	if (label == CNI_LABEL_NEVER)
		return (struct cni_span){ 0 };
	return label <= policy->n_routes ? policy->routes[label - 1].ast->span : policy->decl->otherwise_span;
}

const char *cni_meaning_name(struct cni_arena *arena, const struct cni_policy *policy, unsigned int label)
{
	if (!policy)
		return "no policy";
	if (label == CNI_LABEL_NEVER)
		return "never steered";
	return label <= policy->n_routes ? cni_printf(arena, "route %s", policy->routes[label - 1].name) : "else";
}

/* ---- order ---- */

/* How often a route has another set of addresses than the one before it. */
static size_t changes(const struct cni_policy *policy, bool of_source)
{
	const struct cni_ranges *before = NULL;
	size_t n = 0;

	for (size_t i = 0; i < policy->n_routes; i++) {
		const struct cni_match *m = &policy->routes[i].match;
		const struct cni_ranges *set = of_source ? &m->from : &m->to;

		if (of_source ? !m->has_from : !m->has_to)
			continue;
		n += !before || !cni_ranges_equal(before, set);
		before = set;
	}
	return n;
}

void cni_meaning_order(const struct cni_model *const *models, size_t n, enum cni_header_field order[CNI_N_FIELDS])
{
	size_t from = 0, to = 0;

	memcpy(order, cni_usual_order, sizeof(cni_usual_order));
	for (size_t i = 0; i < n; i++)
		for (size_t p = 0; p < models[i]->n_policies; p++) {
			from += changes(&models[i]->policies[p], true);
			to += changes(&models[i]->policies[p], false);
		}
	if (from > to) {
		order[0] = CNI_FIELD_FROM;
		order[1] = CNI_FIELD_TO;
	}
}
