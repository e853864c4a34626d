/* SPDX-License-Identifier: GPL-2.0-or-later */
/* expect_redundant.c - `expect`s that another one implies: of the same device, day and outcome, and about all of its
 * packets. */
#include <string.h>

#include "compiler/check/expect_internal.h"
#include "compiler/check/one_packet.h"

#define MAX_PAIRS 20000000 /* about a second: then no more are compared */

struct subject {
	const struct cni_expect *e;
	struct cni_packet packet;
	bool is_one; /* packet; fields that are not known may be anything */
	bool *down;
	struct cni_space space[CNI_N_FAMILIES];
	bool has_space;
};

static bool same_day(const struct cni_expects *x, const struct subject *a, const struct subject *b)
{
	return !memcmp(a->down, b->down, x->model->n_targets * sizeof(*a->down));
}

/* What never happens, happens on no day; but a target that is said to be down is not taken in any case. */
static bool asks_the_same(const struct cni_expects *x, const struct subject *a, const struct subject *b)
{
	const struct cni_expect *e = a->e, *by = b->e;

	if (strcmp(e->device, by->device) != 0 || e->never != by->never || e->outcome != by->outcome ||
	    e->target != by->target)
		return false;
	return e->never ? e->target == CNI_NONE || !b->down[e->target] : same_day(x, a, b);
}

static bool packet_covers(const struct cni_packet *outer, const struct cni_packet *inner)
{
	const unsigned int known = outer->known;

	return !(known & ~inner->known) && (!(known & CNI_HAS_FROM) || cni_addr_equal(outer->from, inner->from)) &&
	       (!(known & CNI_HAS_TO) || cni_addr_equal(outer->to, inner->to)) &&
	       (!(known & CNI_HAS_PROTO) || outer->proto == inner->proto) &&
	       (!(known & CNI_HAS_SPORT) || outer->sport == inner->sport) &&
	       (!(known & CNI_HAS_DPORT) || outer->dport == inner->dport) &&
	       (!(known & CNI_HAS_DSCP) || outer->dscp == inner->dscp) &&
	       (!(known & CNI_HAS_ICMP_TYPE) || outer->icmp_type == inner->icmp_type);
}

static void need_space(struct cni_expects *x, struct subject *s)
{
	for (enum cni_family f = 0; f < CNI_N_FAMILIES && !s->has_space; f++)
		s->space[f] = expect_space(x, s->e, f);
	s->has_space = true;
}

static bool covers(struct cni_expects *x, struct subject *outer, struct subject *inner)
{
	bool all = true;

	if (outer->is_one && inner->is_one)
		return packet_covers(&outer->packet, &inner->packet);
	need_space(x, outer);
	need_space(x, inner);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES && all; f++)
		all = cni_space_covers(x->spaces, outer->space[f], inner->space[f]);
	return all && !cni_spaces_failed(x->spaces);
}

static void report(const struct subject *s, const struct subject *by, struct cni_diags *diags)
{
	struct cni_diag *d = cni_diag(diags, CNI416, s->e->decl->span, "another `expect` implies this one");

	cni_diag_related(diags, d, by->e->decl->span, "this one holds for all of its packets");
}

/* Of two that imply each other the first one stays. */
static bool is_implied(struct cni_expects *x, struct subject *subjects, size_t i, size_t by)
{
	if (i == by || !asks_the_same(x, &subjects[i], &subjects[by]) || !covers(x, &subjects[by], &subjects[i]))
		return false;
	return by < i || !asks_the_same(x, &subjects[by], &subjects[i]) || !covers(x, &subjects[i], &subjects[by]);
}

void cni_expects_redundant(struct cni_expects *x, struct cni_diags *diags)
{
	const size_t n = x->model->n_expects;
	struct subject *subjects = cni_new_array(x->arena, struct subject, n);
	size_t pairs = 0;

	for (size_t i = 0; i < n; i++) {
		enum cni_match_kind many;
		const enum cni_shape shape = cni_one_packet(&x->model->expects[i].match, &subjects[i].packet, &many);

		if (shape == CNI_NO_PACKET)
			return; /* reported as what it is: the others can wait */
		subjects[i].e = &x->model->expects[i];
		subjects[i].is_one = shape == CNI_ONE_PACKET;
		subjects[i].down = cni_new_array(x->arena, bool, x->model->n_targets + 1);
		cni_expect_down(x->model, subjects[i].e, subjects[i].down);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t by = 0; by < n && pairs++ < MAX_PAIRS; by++)
			if (is_implied(x, subjects, i, by)) {
				report(&subjects[i], &subjects[by], diags);
				break;
			}
}
