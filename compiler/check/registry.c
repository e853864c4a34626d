/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry.c - runs the checks of checks.def; a failed prerequisite silences its dependents. */
#include <assert.h>

#include "compiler/check/check.h"

enum check_id {
#define CNI_CHECK(name, scope, needs) ID_##name,
#include "compiler/check/checks.def"
#undef CNI_CHECK
	N_CHECKS
};

static_assert(N_CHECKS <= 128, "a set of checks is one word");

#define CNI_AFTER(name) ((cni_u128)1 << ID_##name)

static const struct check {
	enum cni_scope scope;
	cni_u128 needs; /* a bit per check */
	cni_check_fn *run;
} checks[] = {
#define CNI_CHECK(name, scope, needs) { scope, needs, cni_check_##name },
#include "compiler/check/checks.def"
#undef CNI_CHECK
};

/* Which subjects there are, and which checks failed on each. Links, tunnels and targets are the same things. */
enum thing { THING_MODEL, THING_TARGET, THING_ROUTE, N_THINGS };

static const enum thing things[] = {
	[CNI_PER_MODEL] = THING_MODEL,	 [CNI_PER_LINK] = THING_TARGET, [CNI_PER_TUNNEL] = THING_TARGET,
	[CNI_PER_TARGET] = THING_TARGET, [CNI_PER_ROUTE] = THING_ROUTE,
};

struct subjects {
	struct item {
		struct cni_subject subject;
		cni_u128 failed;
	} * items;
	size_t n_items;
};

static void list_subjects(struct cni_arena *arena, const struct cni_model *m, struct subjects *of)
{
	cni_push(arena, of[THING_MODEL].items, of[THING_MODEL].n_items);
	for (size_t i = 0; i < m->n_targets; i++)
		cni_push(arena, of[THING_TARGET].items, of[THING_TARGET].n_items)->subject.target = &m->targets[i];
	for (size_t i = 0; i < m->n_policies; i++)
		for (size_t r = 0; r < m->policies[i].n_routes; r++)
			cni_push(arena, of[THING_ROUTE].items, of[THING_ROUTE].n_items)->subject.route =
				&m->policies[i].routes[r];
}

static bool concerns(enum cni_scope scope, const struct cni_subject *s)
{
	return scope == CNI_PER_LINK	 ? s->target->kind == CNI_TARGET_LINK
	       : scope == CNI_PER_TUNNEL ? s->target->kind == CNI_TARGET_TUNNEL
					 : true;
}

void cni_check(struct cni_arena *arena, const struct cni_model *model, struct cni_diags *diags)
{
	const struct cni_checker c = { arena, model, diags };
	struct subjects subjects[N_THINGS] = { 0 };
	cni_u128 looks_at[N_THINGS] = { 0 }, failed = 0;

	list_subjects(arena, model, subjects);
	for (size_t i = 0; i < N_CHECKS; i++) {
		const struct check *check = &checks[i];
		enum thing thing = things[check->scope];
		cni_u128 elsewhere = check->needs & ~looks_at[thing];

		assert(!(check->needs >> i)); /* prerequisites stand above */
		looks_at[thing] |= (cni_u128)1 << i;
		if (failed & elsewhere)
			continue;
		for (size_t s = 0; s < subjects[thing].n_items; s++) {
			struct item *item = &subjects[thing].items[s];

			if (!concerns(check->scope, &item->subject) || (item->failed & check->needs))
				continue;
			if (!check->run(&c, &item->subject)) {
				item->failed |= (cni_u128)1 << i;
				failed |= (cni_u128)1 << i;
			}
		}
	}
}

bool cni_check_resolved(const struct cni_checker *c, const struct cni_subject *s)
{
	(void)s;
	return !c->diags->n_errors;
}
