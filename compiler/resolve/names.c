/* SPDX-License-Identifier: GPL-2.0-or-later */
/* names.c - name spaces as sorted lists, nearest names, and definitions that hold others of their kind. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

#define NAME_MAX_LEN 64 /* a name becomes a part of nft's object names, NFT_OBJ_MAXNAMELEN 256 in all */

struct cni_name *cni_names_add(struct cni_resolver *r, struct cni_names *names, struct cni_ast_word word,
			       const void *owner)
{
	struct cni_name *name = cni_push(r->arena, names->items, names->n);

	*name = (struct cni_name){ word.text, word.span, names->n, owner, CNI_NONE };
	if (strlen(word.text) > NAME_MAX_LEN)
		cni_diag(r->diags, CNI110, word.span, "a name of %zu characters; the longest is %d", strlen(word.text),
			 NAME_MAX_LEN);
	return name;
}

static int by_text(const void *a, const void *b)
{
	const struct cni_name *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

void cni_names_seal(struct cni_resolver *r, struct cni_names *names, enum cni_code code, const char *problem)
{
	const struct cni_name *first = names->items;

	if (names->n)
		qsort(names->items, names->n, sizeof(*names->items), by_text);
	for (size_t i = 1; code && i < names->n; i++) {
		const struct cni_name *name = &names->items[i];
		struct cni_diag *d;

		if (strcmp(name->text, first->text)) {
			first = name;
			continue;
		}
		d = cni_diag(r->diags, code, name->span, "%s `%s` %s", names->what, name->text, problem);
		cni_diag_related(r->diags, d, first->span, "first named here");
	}
}

struct cni_name *cni_names_find(const struct cni_names *names, const char *text)
{
	size_t lo = 0, hi = names->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(names->items[mid].text, text) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < names->n && !strcmp(names->items[lo].text, text) ? &names->items[lo] : NULL;
}

/* The names whose length is near enough; those of another cannot be meant (see cni_did_you_mean). */
static void near_names(struct cni_resolver *r, const struct cni_names *names, const char *text, const char ***list,
		       size_t *n)
{
	size_t len = strlen(text);

	if (!names || names->n > r->suggest_budget)
		return;
	r->suggest_budget -= names->n;
	for (size_t i = 0; i < names->n; i++) {
		size_t other = strlen(names->items[i].text);

		if ((other > len ? other - len : len - other) <= len / 3 + 1)
			*cni_push(r->arena, *list, *n) = names->items[i].text;
	}
}

/* What else is called that. */
static const struct cni_names *other_kind(const struct cni_resolver *r, const char *text)
{
	const struct cni_names *const kinds[] = { &r->sets, &r->lans, &r->services, &r->targets, &r->policies };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (cni_names_find(kinds[i], text))
			return kinds[i];
	return NULL;
}

const struct cni_name *cni_names_need(struct cni_resolver *r, const struct cni_names *names,
				      const struct cni_names *also, enum cni_code code, const char *text,
				      struct cni_span span)
{
	const struct cni_name *found = cni_names_find(names, text);
	const struct cni_names *other = found ? NULL : other_kind(r, text);
	const char **list = NULL, *nearest;
	struct cni_diag *d;
	size_t n = 0;

	if (found)
		return found;
	d = cni_diag(r->diags, code, span, "no %s%s%s is called `%s`", names->what, also ? " or " : "",
		     also ? also->what : "", text);
	near_names(r, names, text, &list, &n);
	near_names(r, also, text, &list, &n);
	*cni_push(r->arena, list, n) = NULL;
	nearest = cni_did_you_mean(text, list);
	if (other)
		cni_diag_help(r->diags, d, "`%s` is the name of a %s", text, other->what);
	else if (nearest)
		cni_diag_help(r->diags, d, "did you mean `%s`?", nearest);
	return NULL;
}

/* "a -> b -> a" from the step where `inner` was entered; NULL: it is on no step. */
static const char *cycle(struct cni_resolver *r, const struct cni_nest *inner)
{
	const char *text = NULL, *first = NULL;

	for (unsigned int i = 0; i < r->n_steps; i++) {
		if (!text && r->steps[i].nest != inner)
			continue;
		first = first ? first : r->steps[i].name;
		text = text ? cni_printf(r->arena, "%s -> %s", text, r->steps[i].name) : first;
	}
	return text ? cni_printf(r->arena, "%s -> %s", text, first) : NULL;
}

bool cni_nest(struct cni_resolver *r, struct cni_nest *outer, struct cni_nest *inner, const struct cni_name *name,
	      const char *what, struct cni_span use, enum cni_code code,
	      void (*resolve)(struct cni_resolver *r, size_t index))
{
	bool deep = false;

	if (inner->state == CNI_NEST_DOING) {
		struct cni_diag *d = cni_diag(r->diags, code, use, "%s `%s` is part of itself: %s", what, name->text,
					      cycle(r, inner));

		cni_diag_related(r->diags, d, name->span, "`%s` is declared here", name->text);
		outer->broken = true;
		return false;
	}
	if (inner->state == CNI_NEST_TODO) {
		deep = r->n_steps == CNI_NEST_MAX;
		if (!deep) {
			inner->state = CNI_NEST_DOING;
			r->steps[r->n_steps++] = (struct cni_nest_step){ inner, name->text };
			resolve(r, name->index);
			r->n_steps--;
			inner->state = CNI_NEST_DONE;
		}
	}
	if (deep || inner->height >= CNI_NEST_MAX) {
		cni_diag(r->diags, CNI108, use, "%ss within each other beyond %d levels", what, CNI_NEST_MAX);
		outer->broken = true;
		return false;
	}
	if (outer->height <= inner->height)
		outer->height = inner->height + 1;
	outer->broken |= inner->broken;
	return true;
}

bool cni_charge(struct cni_resolver *r, struct cni_span span, uint64_t bytes)
{
	if (bytes <= r->budget) {
		r->budget -= bytes;
		return true;
	}
	if (!r->spent)
		cni_diag(r->diags, CNI114, span, "the sets and lists of this policy hold too many members");
	r->spent = true;
	r->budget = 0;
	return false;
}
