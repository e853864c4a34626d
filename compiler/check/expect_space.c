/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_space.c - proves an `expect` for all of its packets at once: of a map from packets to the route that decides, the
 * part that the expect speaks of must lead to routes alone that do what is asked for. */
#include "compiler/check/expect_internal.h"
#include "compiler/meaning/hints.h"
#include "compiler/meaning/meaning.h"

static void need_spaces(struct cni_expects *x)
{
	enum cni_header_field order[CNI_N_FIELDS];

	if (x->spaces)
		return;
	cni_meaning_order(&x->model, 1, order);
	x->spaces = cni_spaces_new(x->arena, order, CNI_DEFAULT_NODES);
	x->maps = cni_new_array(x->arena, struct expect_map, x->model->n_policies);
	cni_hints_from(x->arena, &x->model, 1, &x->from);
	cni_hints_to(x->arena, &x->to);
}

struct cni_space expect_space(struct cni_expects *x, const struct cni_expect *e, enum cni_family family)
{
	need_spaces(x);
	return cni_space_and(x->spaces, cni_space_match(x->spaces, family, &e->match),
			     cni_space_proper(x->spaces, family));
}

static struct cni_map map_of(struct cni_expects *x, const struct cni_policy *policy, enum cni_family family)
{
	struct expect_map *map = &x->maps[policy - x->model->policies];

	if (!map->made[family]) {
		map->made[family] = true;
		map->map[family] = cni_meaning_routes(x->spaces, policy, &x->never, family);
	}
	return map->map[family];
}

static struct cni_decision decision_of(const struct cni_expects *x, const struct cni_policy *policy, unsigned int label,
				       enum cni_family family)
{
	if (label == CNI_LABEL_NEVER)
		return (struct cni_decision){ .policy = policy, .never_steered = true, .verdict = CNI_VERDICT_MAIN };
	return cni_decide(x->arena, x->model, policy, label <= policy->n_routes ? &policy->routes[label - 1] : NULL,
			  family, x->down);
}

/* Of `space`, the packets for which it does not hold. What is outside of it gets a label of its own before labels are
 * looked at: most of the map is not about it. */
static struct cni_space breaking(struct cni_expects *x, const struct cni_expect *e, const struct cni_policy *policy,
				 enum cni_family family, struct cni_space space)
{
	const unsigned int outside = (unsigned int)cni_meaning_n_labels(policy);
	unsigned int *breaks = cni_new_array(x->arena, unsigned int, outside + 1);
	struct cni_map map = cni_map_ite(x->spaces, space, map_of(x, policy, family), cni_map_all(x->spaces, outside));

	for (unsigned int label = 0; label < outside; label++) {
		const struct cni_decision decision = decision_of(x, policy, label, family);

		breaks[label] = !expect_is_met(x, e, &decision, family);
	}
	map = cni_map_relabel(x->spaces, map, breaks, outside + 1);
	return cni_map_where(x->spaces, map, 1);
}

enum proof expect_prove(struct cni_expects *x, const struct cni_expect *e, struct cni_decision *decision,
			struct cni_header *such_as)
{
	const struct cni_policy *policy = cni_policy_on(x->model, e->device);
	enum proof proof = PROOF_EMPTY;
	size_t mark;

	need_spaces(x);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		map_of(x, policy, f); /* held from before the mark */
	mark = cni_spaces_mark(x->spaces);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES && proof != PROOF_BREAKS; f++) {
		const struct cni_space space = expect_space(x, e, f), bad = breaking(x, e, policy, f, space);

		if (cni_spaces_failed(x->spaces))
			return PROOF_FAILED;
		if (!cni_space_is_empty(space))
			proof = PROOF_HOLDS;
		if (cni_space_is_empty(bad))
			continue;
		*such_as = cni_space_witness(x->spaces, f, bad, &x->from, &x->to);
		*decision = decision_of(x, policy, cni_map_label(x->spaces, map_of(x, policy, f), such_as), f);
		proof = PROOF_BREAKS;
	}
	cni_spaces_release(x->spaces, mark, -1);
	return proof;
}
