/* SPDX-License-Identifier: GPL-2.0-or-later */
/* former.c - the set "former": what settings of devices that are not cnic's were, so that they can be put back.
 *
 * Its name is fixed and nothing looks at it but cnic, so it alone is changed where it is: what is about to be
 * changed is noted before, in expand, and what was put back is forgotten after, in contract. */
#include <string.h>

#include "compiler/diff/diff.h"
#include "compiler/text.h"

/* Notes the value that a wanted setting had before cnic changed it, if cnic has or will. */
static void note_former(struct diff *d, struct cni_state *notes, const struct cni_st_setting *want)
{
	const struct cni_st_setting *has = diff_find_setting(d->observed, want->device, want->key);

	/* a device that cnic wants and finds made by someone else is used, not owned */
	if (!has || (diff_owns_device(d->desired, want->device) &&
		     (!diff_find_link(d->observed, want->device) || diff_owns_device(d->observed, want->device))))
		return;
	if (has->has_former || has->value != want->value)
		*cni_push(d->arena, notes->settings, notes->n_settings) =
			(struct cni_st_setting){ .device = *want->device ? want->device : "-",
						 .key = want->key,
						 .value = has->has_former ? has->former : has->value };
}

/* One element a device, its comment "rp_filter=1 accept_local=0". NULL: there is nothing to note. */
static struct cni_st_set *make_set(struct diff *d, struct cni_state *notes)
{
	struct cni_st_set *set = cni_new(d->arena, struct cni_st_set);
	const char *last = NULL;

	if (!notes->n_settings)
		return NULL;
	cni_state_sort(notes);
	*set = (struct cni_st_set){
		.name = CNI_FORMER, .fields = { CNI_KEY_IFNAME }, .n_fields = 1, .key_len = CNI_IFNAME
	};
	set->keys = cni_alloc(d->arena, notes->n_settings * CNI_IFNAME);
	set->comments = cni_new_array(d->arena, const char *, notes->n_settings);
	for (size_t i = 0; i < notes->n_settings; i++) {
		const struct cni_st_setting *s = &notes->settings[i];
		const char *name = cni_setting_info[s->key].name;

		if (last && !strcmp(last, s->device)) {
			const char **comment = &set->comments[set->n_elems - 1];

			*comment = cni_printf(d->arena, "%s %s=%d", *comment, name, s->value);
			continue;
		}
		last = s->device;
		memcpy(set->keys + set->n_elems * CNI_IFNAME, last, strnlen(last, CNI_IFNAME - 1));
		set->comments[set->n_elems++] = cni_printf(d->arena, "%s=%d", name, s->value);
	}
	return set;
}

static const struct cni_st_set *find_set(const struct cni_state *state)
{
	for (size_t i = 0; i < state->n_sets; i++)
		if (!strcmp(state->sets[i].name, CNI_FORMER))
			return &state->sets[i];
	return NULL;
}

static void add_to_desired(struct diff *d, const struct cni_st_set *set)
{
	struct cni_state *desired = d->desired;
	struct cni_st_set *sets = cni_new_array(d->arena, struct cni_st_set, desired->n_sets + 1);
	size_t at = 0;

	while (at < desired->n_sets && cni_set_cmp(&desired->sets[at], set) < 0)
		at++;
	if (desired->n_sets) {
		memcpy(sets, desired->sets, at * sizeof(*sets));
		memcpy(sets + at + 1, desired->sets + at, (desired->n_sets - at) * sizeof(*sets));
	}
	sets[at] = *set;
	desired->sets = sets;
	desired->n_sets++;
}

static bool same(const struct cni_st_set *a, const struct cni_st_set *b)
{
	return a && b ? cni_set_same(a, b) : a == b;
}

void diff_former(struct diff *d)
{
	const struct cni_st_set *before = find_set(d->observed), *between, *after = NULL;
	const struct cni_span nowhere = { 0 };
	struct cni_state notes = { 0 };

	if (find_set(d->desired))
		return; /* a state that was observed, not lowered: it is wanted as it was */
	d->sees_to_former = true;
	for (size_t i = 0; i < d->desired->n_settings; i++)
		note_former(d, &notes, &d->desired->settings[i]);
	if (d->desired->has_table)
		after = make_set(d, &notes);
	if (after)
		add_to_desired(d, after);
	/* until they are put back, those that are wanted no more are noted too */
	for (size_t i = 0; i < d->observed->n_settings; i++) {
		const struct cni_st_setting *has = &d->observed->settings[i];

		if (has->has_former && !diff_find_setting(d->desired, has->device, has->key))
			note_former(d, &notes, has);
	}
	between = d->desired->has_table ? make_set(d, &notes) : before;
	if (!same(before, between))
		diff_step(d, CNI_EXPAND, X_SET, CNI_SET, CNI_CHANGE, before, between, nowhere, NULL);
	if (!same(between, after))
		diff_step(d, CNI_CONTRACT, C_SET, CNI_SET, CNI_CHANGE, between, after, nowhere, NULL);
}
