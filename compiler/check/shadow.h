/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shadow.h - what earlier routes of a policy take from later ones: the proof that is in progress.
 *
 * First by regions, whose cost is what overlaps; what they do not find out within their limits by packet spaces, whose
 * only limit is their number of nodes. Both are exact. */
#ifndef CNI_CHECK_SHADOW_H
#define CNI_CHECK_SHADOW_H

#include "compiler/check/check.h"
#include "compiler/region/index.h"
#include "compiler/space/space.h"

#define CNI_SHADOW_NAMED 8 /* routes above, and parts of a route, that a message points to */

struct cni_shadow_limits {
	uint64_t proof, run; /* ranges that regions read before packet spaces are asked: for one thing, in all */
	size_t pieces; /* that a region may fall into */
	size_t covers; /* routes that are taken out of others, before all of a policy are looked at together */
	unsigned int nodes; /* of packet spaces */
};

extern const struct cni_shadow_limits cni_shadow_usual;

struct cni_shadow {
	const struct cni_checker *c;
	const struct cni_shadow_limits *limits;
	struct cni_ranges never_steered;
	struct cni_region all[CNI_N_FAMILIES], never[CNI_N_FAMILIES];
	const struct cni_policy *policy;
	struct cni_region *areas[CNI_N_FAMILIES]; /* what each of the policy's routes matches */
	bool *dead; /* of the routes that were looked at */
	struct cni_region_index *index[CNI_N_FAMILIES]; /* of those routes above that are not dead */
	bool complete; /* areas and indices lack no route */
	uint64_t left; /* of the work of a run; 0: regions have given up */
	uint64_t part_left; /* the same for members of routes */
	struct cni_spaces *spaces; /* NULL until they are needed */
	size_t covers; /* what is left of them */
	bool *live; /* by label (meaning.h), once all routes of the policy were looked at together */
	bool entangled; /* that took too many nodes */
	bool failed; /* so have spaces, which is reported */
	bool members_unknown; /* those of the routes that follow; which is reported */
	void *arg; /* for `living` */
};

/* Of a route that is not dead, when all that is above it is known. */
typedef void cni_shadow_living(struct cni_shadow *sh, size_t route);

/* Looks at every route of every policy in order, reports dead ones, and calls `living` for each of the others. */
void cni_shadow_each(const struct cni_checker *c, const struct cni_shadow_limits *limits, cni_shadow_living *living,
		     void *arg);
/* Reports what a route names and never sees (member.c). */
cni_shadow_living cni_shadow_members;

struct cni_shadow_routes {
	size_t *items;
	size_t n_items;
};

/* What is left of a region by what is never steered and by the routes above; those that take part of it are added to
 * `takers`. Void when the work is spent. */
struct cni_regions cni_shadow_left(struct cni_shadow *sh, struct cni_arena *arena, const struct cni_region *region,
				   struct cni_shadow_routes *takers, struct cni_work *work);

/* Ascending, each once. */
void cni_shadow_sort(struct cni_shadow_routes *routes);
/* Those above that can take something of a route, sorted. */
struct cni_shadow_routes cni_shadow_above(struct cni_shadow *sh, struct cni_arena *arena, size_t route);

/* Ranges of addresses in a match. */
static inline size_t cni_shadow_addresses(const struct cni_match *m)
{
	return m->from.n_v4 + m->from.n_v6 + m->to.n_v4 + m->to.n_v6;
}

/* ---- by packet spaces (cover.c) ---- */

struct cni_shadow_view { /* a region's view as a field of packets */
	enum cni_header_field field;
	unsigned int bits; /* of the field, behind those of the protocol; 0: no protocol goes before it */
};

extern const struct cni_shadow_view cni_shadow_views[CNI_N_VIEWS];

/* Whether the sets of a route and of those above are so large that packet spaces are for what has to be known only, not
 * for what would be nice to say. */
bool cni_shadow_is_large(struct cni_shadow *sh, struct cni_arena *arena, size_t route);

/* Part of what a route matches: one view is cut down. */
struct cni_shadow_part {
	enum cni_view view;
	struct cni_ranges ranges[CNI_N_FAMILIES]; /* of `view`, in the shape of a region's */
};

struct cni_shadow_cover { /* who takes what of a route */
	bool failed; /* the limit of nodes was reached: nothing is known */
	bool matches; /* the route matches something, */
	bool steered; /* of which something is steered at all */
	struct cni_shadow_taker {
		size_t route;
		struct cni_space before[CNI_N_FAMILIES]; /* what is left when its turn comes */
	} * takers; /* those that take something, in order */
	size_t n_takers;
	struct cni_space left[CNI_N_FAMILIES]; /* in the end */
};

/* The manager; made when it is first asked for, and anew after a failure: ask before a mark is taken. */
struct cni_spaces *cni_shadow_spaces(struct cni_shadow *sh);
/* `part` NULL: of all that the route matches. Spaces are held until cni_spaces_release(). */
struct cni_shadow_cover cni_shadow_cover(struct cni_shadow *sh, struct cni_arena *arena, size_t route,
					 const struct cni_shadow_part *part);
/* Leaves out takers without which the others take all, when nothing is left: the last that can be, first. */
void cni_shadow_least(struct cni_shadow *sh, struct cni_shadow_cover *cover);
/* Whether each of a policy's routes can match (by label, as in meaning.h); NULL: too many nodes. Forgets all spaces. */
bool *cni_shadow_live(struct cni_shadow *sh);
/* The values of FROM or TO that some packet of a space has; or of another view, those of `asked` that meet it. */
struct cni_ranges cni_shadow_values(struct cni_shadow *sh, struct cni_arena *arena, enum cni_family family,
				    struct cni_space space, enum cni_view view, const struct cni_ranges *asked);

/* ---- in messages (shadow_text.c) ---- */

/* Points to the takers: the first of them, and how many more there are. */
void cni_shadow_name(struct cni_shadow *sh, struct cni_diag *d, const struct cni_shadow_cover *cover);
/* A space of packets that are steered, as boxes: at most `max`. */
struct cni_boxes cni_shadow_boxes(struct cni_shadow *sh, struct cni_arena *arena, enum cni_family family,
				  struct cni_space space, size_t max);
/* Shows what of a route is left, as boxes. */
void cni_shadow_show(struct cni_shadow *sh, struct cni_diag *d, size_t route,
		     const struct cni_space left[CNI_N_FAMILIES]);
/* Ranges of a view as a policy writes them: "to 10.0.0.0/8", "proto tcp dport 443". */
const char *cni_shadow_words(struct cni_arena *arena, enum cni_family family, enum cni_view view,
			     struct cni_range6 range);

#endif
