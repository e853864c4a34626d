/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meaning.h - what a policy says of all packets at once: a map from packets to the route that decides.
 *
 * The labels of a policy's map: 0 is never steered, 1 + i its route i, 1 + n_routes its own `else`. The map says nothing
 * of targets, so that one map serves for every day: what becomes of a route's packets is a table (fate.h). */
#ifndef CNI_MEANING_H
#define CNI_MEANING_H

#include "compiler/meaning/fate.h"
#include "compiler/space/space.h"

#define CNI_LABEL_NEVER 0u

/* The policy of a device, or of "local"; NULL: none, all of its packets go by main. */
const struct cni_policy *cni_meaning_policy(const struct cni_model *model, const char *device);
/* cni_never_steered(), and what no router steers: loopback, 0.0.0.0. */
struct cni_ranges cni_meaning_never(struct cni_arena *arena, const struct cni_model *model);
/* `policy` NULL: never steered, all of it. */
struct cni_map cni_meaning_routes(struct cni_spaces *s, const struct cni_policy *policy, const struct cni_ranges *never,
				  enum cni_family family);
/* The same with labels[x] in place of label x: the fewer there are, the smaller the diagram. */
struct cni_map cni_meaning_labelled(struct cni_spaces *s, const struct cni_policy *policy,
				    const struct cni_ranges *never, enum cni_family family, const unsigned int *labels);

static inline size_t cni_meaning_n_labels(const struct cni_policy *policy)
{
	return policy ? policy->n_routes + 2 : 1;
}

/* The fate of each label, in the arena of `fates`. */
unsigned int *cni_meaning_fates(struct cni_fates *fates, const struct cni_model *model, const struct cni_policy *policy,
				enum cni_family family, const bool *down);
/* Where a label is written, {0, 0} for what is never steered; and what it is called: "route voip", "else". */
struct cni_span cni_meaning_span(const struct cni_policy *policy, unsigned int label);
const char *cni_meaning_name(struct cni_arena *arena, const struct cni_policy *policy, unsigned int label);

/* The order of fields that keeps the diagrams of these models small. */
void cni_meaning_order(const struct cni_model *const *models, size_t n, enum cni_header_field order[CNI_N_FIELDS]);

#endif
