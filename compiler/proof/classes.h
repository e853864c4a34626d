/* SPDX-License-Identifier: GPL-2.0-or-later */
/* classes.h - maps in two steps: a large diagram that tells packets apart, and what each class of them comes to.
 *
 * Marks, texts and the like change what classes come to and leave the diagram as it is: then a table changes, and nothing
 * is walked through. What is found out about a diagram is kept, so that it is found out once. */
#ifndef CNI_PROOF_CLASSES_H
#define CNI_PROOF_CLASSES_H

#include "compiler/space/space.h"

struct classes {
	struct cni_map of;
	size_t n; /* 0: there is no second step, a label of `of` is what its packets come to */
	const unsigned int *labels; /* all of them that `of` has, ascending */
	const struct cni_map *then; /* packets with labels[i] come to what this says; small */
};

/* What is known of diagrams, which must stay held: no marks are released that are older than what is kept here. */
struct classing {
	struct cni_spaces *spaces;
	struct cni_arena *arena;
	struct labelled *labelled; /* open hash tables, but for those that are few */
	size_t n_labelled, room_labelled;
	struct merged *merged;
	size_t n_merged;
	struct flattened *flattened;
	size_t n_flattened;
	struct met *met;
	size_t n_met;
};

static inline struct classes classes_plain(struct cni_map map)
{
	return (struct classes){ .of = map };
}

struct cni_labels classes_labels(struct classing *c, struct cni_map map);
/* The labels that are told apart in the first step. */
size_t classes_count(struct classing *c, const struct classes *a);
/* The same as one map. */
struct cni_map classes_flat(struct classing *c, const struct classes *a);
struct classes classes_ite(struct classing *c, struct cni_space where, struct classes then, struct classes otherwise);

/* A packet that comes to label x goes on as after(x, arg) says. */
typedef struct classes classes_after(unsigned int label, void *arg);
struct classes classes_bind(struct classing *c, struct classes a, classes_after *after, void *arg);

/* Pairs of what two of them come to, for packets of `where`: of each pair of classes that meet there. */
struct class_pair {
	unsigned int a, b; /* labels of the first steps */
	struct cni_map then_a, then_b;
};
struct class_pair *classes_meet(struct classing *c, const struct classes *a, const struct classes *b,
				struct cni_space where, size_t *n);

#endif
