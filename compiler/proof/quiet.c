/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quiet.c - where in a chain marks matter. */
#include <linux/netfilter/nf_tables.h>

#include "compiler/proof/machine_internal.h"

static bool marks_matter_to(const struct expr *x)
{
	static const bool matter[N_EXPR_OPS] = {
		[X_META_SET] = true, [X_CT] = true,	    [X_CT_SET] = true, [X_MSS_SET] = true,
		[X_NOTRACK] = true,  [X_MASQUERADE] = true, [X_SNAT] = true
	};

	if (x->op == X_LOOKUP && x->is_map)
		for (size_t i = 0; i < x->set->n_elems; i++)
			if (x->set->elems[i].code == NFT_JUMP && marks_matter(x->set->elems[i].chain))
				return true;
	return matter[x->op] || (x->op == X_META && x->key == NFT_META_MARK) ||
	       (x->op == X_VERDICT && x->code == NFT_JUMP && marks_matter(x->chain));
}

/* Where a chain goes for good does not count. A base chain is always run with its marks: what it goes to may come back. */
size_t quiet_from(struct chain *chain)
{
	size_t quiet = 0;

	if (chain->has_quiet)
		return chain->quiet;
	chain->has_quiet = true;
	chain->quiet = chain->n_rules; /* should it lead to itself */
	for (size_t i = 0; i < chain->n_rules; i++)
		for (size_t j = 0; j < chain->rules[i].n_exprs; j++)
			if (chain->is_base || marks_matter_to(&chain->rules[i].exprs[j]))
				quiet = i + 1;
	chain->quiet = quiet;
	return quiet;
}

bool marks_matter(struct chain *chain)
{
	return quiet_from(chain) > 0;
}
