/* SPDX-License-Identifier: GPL-2.0-or-later */
/* changes.h - the classes of packets whose fate changes, for a reader. */
#ifndef CNI_EMIT_CHANGES_H
#define CNI_EMIT_CHANGES_H

#include "compiler/meaning/compare.h"
#include "compiler/source.h"
#include "compiler/text.h"

/* A label of one of the two policies: what it is called, and where it stands. `to`: where a packet goes that it decides,
 * which tells why it is never steered. */
struct cni_label_place {
	const char *name;
	struct cni_span span; /* {0, 0}: nowhere */
};
struct cni_label_place cni_label_place(struct cni_arena *arena, const struct cni_model *model,
				       const struct cni_policy *policy, unsigned int label, struct cni_addr to);

/* A paragraph a class, with an empty line before each. */
void cni_emit_changes(struct cni_text *out, const struct cni_comparison *c, const struct cni_changes *changes,
		      const struct cni_sources *before, const struct cni_sources *after, bool colour);

/* What else is different at members of the same name, as "cf1: mss 1436 -> 1400"; calls `each` for every one. */
void cni_fate_traits(const struct cni_fate *before, const struct cni_fate *after,
		     void (*each)(const char *member, enum cni_trait trait, const char *before, const char *after,
				  void *arg),
		     void *arg);

#endif
