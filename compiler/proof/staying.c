/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staying.c - flows that stay on a backup when a better target comes back. */
#include "compiler/proof/proving.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/lower.h"

/* No new flow shows the ways that the tracker moves flows to. By id, of every way that has a counter: where a known flow
 * goes, of what conntrack sees. */
static struct cni_map *ways_by_id(struct arrival *a, struct cni_space where, size_t *n)
{
	struct proving *p = a->p;
	const uint32_t mask = p->model->options.mark_mask, id_mask = cni_id_mask(mask);
	const uint32_t epoch = a->leaves->marks.ct_mark & mask & ~id_mask;
	const struct cni_map nothing = cni_map_all(p->spaces, 0);
	struct cni_map *ways;

	*n = (id_mask >> __builtin_ctz(mask)) + 1;
	ways = cni_new_array(p->texts.arena, struct cni_map, *n);
	for (size_t id = 0; id < *n; id++)
		ways[id] = nothing;
	for (size_t i = 0; i < p->d.to->n_counters && !proof_is_over(p); i++) {
		const char *name = p->d.to->counters[i];
		const unsigned long id = strncmp(name, "path.", 5) ? 0 : strtoul(name + 5, NULL, 10);
		struct classes is;

		if (!id || id >= *n)
			continue;
		is = arrival_run(a, epoch | (uint32_t)id << __builtin_ctz(mask), CONFIRMED, false, RTN_UNICAST);
		is = sent_outcomes(&p->sent, a->claim.family, a->claim.device, is);
		ways[id] = cni_map_ite(p->spaces, where, classes_flat(&p->machine.classing, &is), nothing);
	}
	return ways;
}

static bool is_held(const struct proving *p, const struct cni_map *ways, size_t n, struct staying flows)
{
	const int shift = __builtin_ctz(p->model->options.mark_mask);

	for (size_t i = 0; i < p->messages->n_pins; i++) {
		const struct cni_st_pin *pin = &p->messages->pins[i];

		if (!strcmp(pin->target, flows.target) && ways[pin->mark >> shift].node == flows.before.node &&
		    ways[pin->pinned >> shift].node == flows.after.node)
			return true;
	}
	/* what a router holds does not tell which way is for whom */
	for (size_t id = 0; id < n && p->messages->is_dump; id++)
		if (ways[id].node == flows.after.node)
			return true;
	return false;
}

void prove_staying(struct arrival *a)
{
	struct proving *p = a->p;
	const struct cni_space where = cni_space_and(p->spaces, a->claim.domain, a->tracked);
	const struct cni_map nothing = cni_map_all(p->spaces, 0);
	size_t n, n_ways = 0;
	struct staying *flows = meant_staying(&p->meant, a->claim.family, a->claim.device, &n);
	const bool by_mark = p->model->options.known_flows == CNI_KNOWN_BY_MARK;
	const struct cni_map *ways = n && a->n_leaves && by_mark ? ways_by_id(a, where, &n_ways) : NULL;

	for (size_t i = 0; i < n && ways && !proof_is_over(p); i++) {
		const struct cni_map after = flows[i].after;

		flows[i].before = cni_map_ite(p->spaces, where, flows[i].before, nothing);
		flows[i].after = cni_map_ite(p->spaces, where, after, nothing);
		if (is_held(p, ways, n_ways, flows[i]) || proof_is_over(p))
			continue;
		p->proof.answer = CNI_REFUTED;
		p->proof.example = (struct cni_counterexample){
			.what = cni_printf(p->texts.arena, "a flow that stays on `%s`", flows[i].target),
			.where = a->claim.device ? cni_printf(p->texts.arena, "on %s", a->claim.device)
						 : "from the router itself",
			.packet = "",
			.should = proof_tell_text(p, *cni_map_labels(p->spaces, p->texts.arena, after).items),
			.is = "by no mark that the tracker knows",
		};
	}
}
