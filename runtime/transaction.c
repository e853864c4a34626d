/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transaction.c - the phases in their order, the flip, and the way back; see transaction.h. */
#include "runtime/transaction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "compiler/arena.h"
#include "compiler/state/down.h"
#include "runtime/former_nft.h"
#include "runtime/netlink/conntrack.h"
#include "runtime/netlink/execute.h"
#include "runtime/netlink/report.h"
#include "runtime/netlink/seal.h"
#include "runtime/netlink/snapshot.h"

#define FLIP_ATTEMPTS 8
#define BACK_ROUNDS 2 /* one is the rule; what goes with something else is missed in the second */
#define FOLLOW_ROUNDS 8 /* while the tracker takes targets out and puts them back, faster than it can be looked at */
#define GRACE_US 100000 /* where membarrier is not to be had */

struct transaction {
	struct rt_netlink *nl;
	struct cni_arena *arena;
	const struct cni_plan *plan;
	struct cni_diags *diags;
	struct rt_result *result;
	size_t n_done[CNI_N_PHASES]; /* steps of each phase that are in effect */
	bool unsure; /* an answer did not come */
	size_t n_batches; /* of the netlink, before the first of ours */
};

struct part {
	const struct cni_step *steps;
	size_t n;
};

static struct part phase_of(const struct cni_plan *plan, enum cni_phase phase)
{
	struct part part = { plan->steps, 0 };

	while (part.steps < plan->steps + plan->n_steps && part.steps->phase < phase)
		part.steps++;
	while (part.steps + part.n < plan->steps + plan->n_steps && part.steps[part.n].phase == phase)
		part.n++;
	return part;
}

/* Waits until every packet that was on its way when this began has left: they travel under RCU. */
static void wait_for_packets(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(GRACE_US);
}

/* ---- forward ---- */

static int run_phase(struct transaction *t, enum cni_phase phase, uint32_t generation)
{
	struct rt_execution run = { .nl = t->nl, .diags = t->diags, .code = CNI702, .generation = generation };
	struct part part = phase_of(t->plan, phase);
	int rc;

	if (!part.n)
		return 0;
	t->result->phase = phase;
	rc = rt_execute(&run, part.steps, part.n);
	t->n_done[phase] = run.n_done;
	t->unsure |= rc == -EPROTO || rc == -ENOBUFS;
	return rc;
}

/* Whether what is observed under a name by content becomes something else: somebody had changed it. */
static bool mends(const struct cni_step *step)
{
	if (step->op != CNI_CHANGE || !step->before)
		return false;
	if (step->object == CNI_SET)
		return strcmp(((const struct cni_st_set *)step->before)->name, CNI_FORMER) != 0;
	return step->object == CNI_CHAIN;
}

/* While nobody but us has moved the generation id, what was observed is still there, and what is new was made now. */
static struct rt_trust trust_of(const struct transaction *t)
{
	struct rt_trust trust = { .known = t->plan->observed, .made = t->plan->desired };

	trust.generation = rt_generation_after(t->plan->observed->generation, t->nl->n_batches - t->n_batches);
	for (size_t i = 0; i < t->plan->n_steps; i++)
		if (mends(&t->plan->steps[i]))
			trust.known = trust.made = NULL;
	return trust;
}

/* Whether our table is still as the flip needs it, although nft's generation moved: then the move was in someone
 * else's table. *generation is the one of that look. */
static int look_again(struct transaction *t, uint32_t *generation)
{
	struct cni_diags aside;
	struct cni_state *now;
	struct cni_plan *left;
	size_t n_flips = 0;
	const struct rt_trust trust = trust_of(t);
	int rc = rt_snapshot_trusting(t->nl, t->arena, &trust, &now, t->diags);

	if (rc)
		return rc;
	*generation = now->generation;
	cni_diags_init(&aside, t->arena);
	left = cni_plan(t->arena, now, t->plan->desired, &aside);
	for (size_t i = 0; i < left->n_steps; i++) {
		if (rt_is_nft(&left->steps[i]) && left->steps[i].phase < CNI_FLIP)
			return -ESTALE;
		n_flips += left->steps[i].phase == CNI_FLIP;
	}
	return n_flips == phase_of(t->plan, CNI_FLIP).n ? 0 : -ESTALE;
}

static int flip(struct transaction *t)
{
	const struct cni_state *want = t->plan->desired;
	uint32_t generation;
	int rc;

	if (!phase_of(t->plan, CNI_FLIP).n)
		return 0;
	/* flows that carry the new epoch, or a new path's number, from an earlier turn would be taken for known ones */
	rc = rt_conntrack_forget(t->nl, &want->stale);
	if (rc)
		return rc;
	rc = rt_generation(t->nl, &generation);
	if (!rc && generation != rt_generation_after(t->plan->observed->generation, t->nl->n_batches - t->n_batches))
		rc = look_again(t, &generation);
	for (int attempt = 0; !rc && attempt < FLIP_ATTEMPTS; attempt++) {
		rc = run_phase(t, CNI_FLIP, generation);
		if (rc != -ERESTART)
			return rc;
		rc = look_again(t, &generation);
	}
	if (!rc || rc == -ESTALE) {
		struct cni_diag *diag = cni_diag(t->diags, CNI709, (struct cni_span){ 0 }, "%s",
						 rc ? "someone else changed the table inet " CNI_TABLE
						    : "someone else changes nftables without pause");

		cni_diag_help(t->diags, diag, "try again");
		rc = -ESTALE;
	} else {
		cni_diag(t->diags, CNI703, (struct cni_span){ 0 }, "no switching over: %s", strerror(-rc));
	}
	return rc;
}

static bool holds_notes(const struct cni_step *step)
{
	return step->object == CNI_TABLE_NFT || (step->object == CNI_SET && step->before &&
						 !strcmp(((const struct cni_st_set *)step->before)->name, CNI_FORMER));
}

/* Settings come first. Where one could not be put back, what it was stays noted: the next apply tries again. */
static void remove_all(struct transaction *t, struct rt_execution *run, struct part part)
{
	struct cni_step *rest = cni_new_array(t->arena, struct cni_step, part.n);
	size_t n_settings = 0, n_refused, n = 0;

	if (!part.n)
		return;
	wait_for_packets();
	while (n_settings < part.n && part.steps[n_settings].object == CNI_SETTING)
		n_settings++;
	rt_execute(run, part.steps, n_settings);
	n_refused = run->n_refused;
	for (size_t i = n_settings; i < part.n; i++)
		if (!n_refused || !holds_notes(&part.steps[i]))
			rest[n++] = part.steps[i];
	rt_execute(run, rest, n);
}

static void contract(struct transaction *t)
{
	struct rt_execution run = { .nl = t->nl, .diags = t->diags, .code = CNI708, .keep_going = true };
	struct part part = phase_of(t->plan, CNI_CONTRACT);

	if (!part.n)
		return;
	t->result->phase = CNI_CONTRACT;
	remove_all(t, &run, part);
	t->n_done[CNI_CONTRACT] = part.n;
}

/* ---- looking ---- */

static void list_differences(struct transaction *t, enum cni_code code, const struct cni_plan *left)
{
	for (size_t i = 0; i < left->n_steps; i++)
		if (left->steps[i].phase != CNI_CONTRACT)
			cni_diag(t->diags, code, left->steps[i].span, "not as it was meant: %s",
				 rt_step_text(t->arena, &left->steps[i]));
}

/* What is left to be done for `wanted`; NULL: it cannot be known. */
static const struct cni_plan *compare(struct transaction *t, enum cni_code code, const struct cni_state *now,
				      const struct cni_state *wanted)
{
	struct cni_diags aside;
	const struct cni_plan *left;

	cni_diags_init(&aside, t->arena);
	left = cni_plan(t->arena, now, wanted, &aside);
	for (const struct cni_diag *d = aside.first; d; d = d->next)
		if (d->severity == CNI_ERROR)
			cni_diag(t->diags, code, d->span, "not as it was meant: %s", d->message);
	return aside.n_errors ? NULL : left;
}

static bool is_clean(const struct cni_plan *left)
{
	return left && (!left->n_steps || left->steps[0].phase == CNI_CONTRACT);
}

/* ---- back ---- */

static bool has_former(const struct cni_state *state)
{
	for (size_t i = 0; i < state->n_sets; i++)
		if (!strcmp(state->sets[i].name, CNI_FORMER))
			return true;
	return false;
}

static bool is_touched(const struct cni_plan *plan, const struct cni_st_setting *setting)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].object == CNI_SETTING && plan->steps[i].before &&
		    !cni_setting_cmp(plan->steps[i].before, setting))
			return true;
	return false;
}

static bool is_owned(const struct cni_state *state, const char *device)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (state->links[i].owned && !strcmp(state->links[i].name, device))
			return true;
	return false;
}

/* Whether it was ours, and is not wanted back: what stood on it cannot come back either. */
static bool is_lost(const struct cni_state *old, const struct cni_state *want, const char *device)
{
	return is_owned(old, device) && !is_owned(want, device);
}

/* Those that cnic had set before, and those that the plan touches. Of a device that is not ours the latter are left
 * out where "former" was not there yet: then the notes made in it since say what they were. */
static void keep_settings(struct transaction *t, struct cni_state *want)
{
	const struct cni_state *old = t->plan->observed;
	bool noted = has_former(old);

	for (size_t i = 0; i < old->n_settings; i++) {
		const struct cni_st_setting *setting = &old->settings[i];

		if (is_lost(old, want, setting->device))
			continue;
		if (setting->has_former || (is_touched(t->plan, setting) && (noted || is_owned(old, setting->device))))
			*cni_push(t->arena, want->settings, want->n_settings) = *setting;
	}
}

static bool has_link(const struct cni_state *state, const struct cni_st_link *link)
{
	for (size_t i = 0; i < state->n_links; i++)
		if (!cni_link_cmp(&state->links[i], link))
			return true;
	return false;
}

/* Somebody's device in our group may be of a kind that cnic cannot make. */
static void keep_links(struct transaction *t, const struct cni_state *now, struct cni_state *want, struct rt_lost *lost)
{
	const struct cni_state *old = t->plan->observed;

	for (size_t i = 0; i < old->n_links; i++)
		if (old->links[i].owned && (old->links[i].type != CNI_DEV_OTHER || has_link(now, &old->links[i])))
			*cni_push(t->arena, want->links, want->n_links) = old->links[i];
		else if (old->links[i].owned)
			*cni_push(t->arena, lost->texts, lost->n_texts) =
				cni_printf(t->arena, "the device %s", old->links[i].name);
}

static bool is_route_touched(const struct cni_plan *plan, const struct cni_st_route *route)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct cni_step *step = &plan->steps[i];

		if (step->object == CNI_ROUTE && !cni_route_cmp(step->after ? step->after : step->before, route))
			return true;
	}
	return false;
}

/* Where the tracker took something out meanwhile, or put it back, what it did to routes that the plan has nothing to do
 * with is not taken back. */
static void keep_routes(struct transaction *t, const struct cni_state *now, struct cni_state *want)
{
	const struct cni_state *old = t->plan->observed;
	const bool moved = !cni_same_down(old, now);

	for (size_t i = 0; i < old->n_routes; i++)
		if (old->routes[i].owned && old->routes[i].type != CNI_RT_OTHER &&
		    (!moved || is_route_touched(t->plan, &old->routes[i])))
			*cni_push(t->arena, want->routes, want->n_routes) = old->routes[i];
	for (size_t i = 0; moved && i < now->n_routes; i++)
		if (now->routes[i].owned && now->routes[i].type != CNI_RT_OTHER &&
		    !is_route_touched(t->plan, &now->routes[i]))
			*cni_push(t->arena, want->routes, want->n_routes) = now->routes[i];
}

/* What was ours before, as a state to be wanted; without what cnic cannot write and `now` has no longer. */
static struct cni_state *former_state(struct transaction *t, const struct cni_state *now, struct rt_lost *lost)
{
	const struct cni_state *old = t->plan->observed;
	struct cni_state *want = cni_new(t->arena, struct cni_state);

	*lost = (struct rt_lost){ 0 };
	keep_links(t, now, want, lost);
#define KEEP(list, condition)                                                                                          \
	for (size_t i = 0; i < old->n_##list; i++)                                                                     \
		if (old->list[i].owned && (condition))                                                                 \
			*cni_push(t->arena, want->list, want->n_##list) = old->list[i];
	KEEP(addrs, !is_lost(old, want, old->addrs[i].device))
	KEEP(rules, !old->rules[i].other)
#undef KEEP
	keep_routes(t, now, want);
	keep_settings(t, want);
	want->has_table = old->has_table;
	want->counters = old->counters;
	want->n_counters = old->n_counters;
	rt_former_nft(t->arena, old, now, want, lost);
	cni_state_sort(want);
	return want;
}

/* What is left to be done for it; NULL: it cannot be known. */
static const struct cni_plan *compare_former(struct transaction *t, struct rt_lost *lost)
{
	struct cni_state *now;
	size_t n = 0;

	if (rt_snapshot(t->nl, t->arena, &now, t->diags))
		return NULL;
	/* others' routes were there before, or are in the kernel's way of putting ours back */
	for (size_t i = 0; i < now->n_routes; i++)
		if (now->routes[i].owned)
			now->routes[n++] = now->routes[i];
	now->n_routes = n;
	return compare(t, CNI707, now, former_state(t, now, lost));
}

static void undo(struct transaction *t)
{
	struct rt_execution run = { .nl = t->nl, .keep_going = true };

	for (int phase = CNI_IN_PLACE; phase >= CNI_EXPAND; phase--) {
		struct part part = phase_of(t->plan, (enum cni_phase)phase);
		size_t n = t->n_done[phase];

		rt_execute(&run, rt_inverse(t->arena, part.steps, n), n);
		t->result->n_undone += n;
	}
}

/* Every phase of another plan, as far as the kernel takes it; but what packets may still meet is not taken from them. */
static void carry_out(struct transaction *t, const struct cni_plan *plan)
{
	struct rt_execution run = { .nl = t->nl, .keep_going = true };
	bool flipped = true;

	for (enum cni_phase phase = CNI_EXPAND; phase < CNI_CONTRACT; phase++) {
		struct part part = phase_of(plan, phase);
		int rc = rt_execute(&run, part.steps, part.n);

		flipped = phase == CNI_FLIP ? !rc : flipped;
	}
	if (flipped)
		remove_all(t, &run, phase_of(plan, CNI_CONTRACT));
	t->result->n_undone += plan->n_steps;
}

/* Those that the plan touches and that were not put back: the plan to the former state says nothing of a setting that
 * was never noted. What went with its device is no difference. */
static size_t count_unrestored(struct transaction *t, const struct cni_state *now)
{
	const struct cni_state *old = t->plan->observed;
	size_t n = 0;

	for (size_t i = 0; i < old->n_settings; i++) {
		const struct cni_st_setting *setting = &old->settings[i];

		if (!is_touched(t->plan, setting))
			continue;
		for (size_t j = 0; j < now->n_settings; j++)
			if (!cni_setting_cmp(&now->settings[j], setting) && now->settings[j].value != setting->value) {
				cni_diag(t->diags, CNI707, (struct cni_span){ 0 }, "%s of %s is still %d, it was %d",
					 cni_setting_info[setting->key].name,
					 *setting->device ? setting->device : "the namespace", now->settings[j].value,
					 setting->value);
				n++;
			}
	}
	return n;
}

/* Back to what was observed, by steps while nothing was visible, by a plan where that is not enough. */
static void roll_back(struct transaction *t)
{
	const struct cni_span nowhere = { 0 };
	const struct cni_plan *left;
	struct rt_lost lost = { 0 };

	/* a flip whose answer was lost may be in effect: then the way back begins with another flip */
	if (!t->n_done[CNI_FLIP] && !t->unsure)
		undo(t);
	left = compare_former(t, &lost);
	for (int round = 0; left && left->n_steps && round < BACK_ROUNDS; round++) {
		carry_out(t, left);
		left = compare_former(t, &lost);
	}
	t->result->verified = left;
	if (left && !left->n_steps && !count_unrestored(t, left->observed) && !lost.n_texts) {
		t->result->outcome = RT_RESTORED;
		cni_diag(t->diags, CNI710, nowhere, "the former state is back, as a new look at the kernel shows");
		return;
	}
	t->result->outcome = RT_INCOMPLETE;
	cni_diag(t->diags, CNI707, nowhere,
		 left ? "the former state is not all back" : "whether the former state is back cannot be seen");
	for (size_t i = 0; left && i < left->n_steps; i++)
		cni_diag(t->diags, CNI707, nowhere, "still to be done: %s", rt_step_text(t->arena, &left->steps[i]));
	for (size_t i = 0; left && i < lost.n_texts; i++)
		cni_diag(t->diags, CNI707, nowhere, "gone, and nothing that cnic can write again: %s", lost.texts[i]);
}

/* ---- all ---- */

static int by_name(const void *a, const void *b)
{
	return cni_set_cmp(a, b);
}

/* What was left unread: the way back may need it, and says only of what it has compared that it is back. A set that stays
 * is what is wanted under its name; one that goes is read. */
static int read_unread(struct transaction *t)
{
	const struct cni_state *old = t->plan->observed, *want = t->plan->desired;
	int rc = 0;

	for (size_t i = 0; !rc && i < old->n_sets; i++) {
		struct cni_st_set *set = &old->sets[i]; /* of a snapshot, whose memory is the arena's */
		const struct cni_st_set *stays = NULL;

		if (!set->unread)
			continue;
		if (want->n_sets)
			stays = bsearch(set, want->sets, want->n_sets, sizeof(*set), by_name);
		if (!stays || !cni_set_same(set, stays)) {
			rc = rt_snapshot_set(t->nl, t->arena, set);
			continue;
		}
		set->keys = stays->keys;
		set->verdicts = stays->verdicts;
		set->n_elems = stays->n_elems;
		set->unread = false;
	}
	if (rc == -ENOENT) {
		cni_diag(t->diags, CNI709, (struct cni_span){ 0 }, "someone else changed the table inet " CNI_TABLE);
		rc = -ESTALE;
	} else if (rc) {
		cni_diag(t->diags, CNI703, (struct cni_span){ 0 }, "reading a set failed: %s", strerror(-rc));
	}
	return rc;
}

/* So much is read as quickly as the seal is set. */
#define SEALED_MIN 10000 /* elements */

/* All of the table was read, or is known to be as it was read, and is what is wanted: the next apply need not read it. A
 * seal that cannot be set is none: somebody else was quicker. */
static void seal(struct transaction *t, const struct cni_state *now)
{
	const struct cni_state *want = t->plan->desired;
	size_t n = 0;

	for (size_t i = 0; i < want->n_sets; i++)
		n += want->sets[i].n_elems;
	if (!t->result->n_leftovers && n >= SEALED_MIN)
		(void)rt_seal(t->nl, now->generation, now->has_seal);
}

/* What is there; NULL: it cannot be seen. */
static const struct cni_state *observe(struct transaction *t)
{
	const struct rt_trust trust = trust_of(t);
	struct cni_state *snapshot;

	if (rt_snapshot_trusting(t->nl, t->arena, &trust, &snapshot, t->diags))
		return NULL;
	return rt_snapshot_for(t->nl, t->arena, snapshot, t->plan->desired, t->diags);
}

/* Where it is routes that differ, and nothing else that packets could meet, it may be the tracker that moved them, and not
 * all of them yet. */
static bool is_about_routes(const struct cni_plan *left)
{
	bool any = false;

	for (size_t i = 0; left && i < left->n_steps; i++) {
		any |= left->steps[i].object == CNI_ROUTE;
		if (left->steps[i].object != CNI_ROUTE && left->steps[i].phase != CNI_CONTRACT)
			return false;
	}
	return any;
}

/* What the tracker says of its targets goes with what is there: what it took out of the routing since the plan was made is
 * no difference, and what is new to it is taken out here. */
static const struct cni_plan *follow(struct transaction *t, const struct cni_state **now)
{
	struct rt_execution run = { .nl = t->nl, .keep_going = true };
	const struct cni_plan *left = NULL;

	for (int round = 0; round < FOLLOW_ROUNDS; round++) {
		struct cni_state *want = cni_new(t->arena, struct cni_state);
		bool moved;

		*now = observe(t);
		if (!*now)
			return NULL;
		*want = *t->plan->desired;
		if (want->n_tracked)
			cni_state_follow(t->arena, want, *now);
		moved = !cni_same_down(want, t->plan->desired);
		left = compare(t, CNI706, *now, want);
		if (!want->n_tracked || !is_about_routes(left) || (is_clean(left) && !moved))
			break;
		/* at first it is only looked at once more: the tracker may be at it */
		for (size_t i = 0; round && i < left->n_steps; i++)
			if (left->steps[i].object == CNI_ROUTE)
				(void)rt_execute(&run, &left->steps[i], 1);
	}
	return left;
}

static int look_back(struct transaction *t)
{
	const struct cni_state *now = NULL;
	const struct cni_plan *left = follow(t, &now);

	t->result->verified = left;
	if (is_clean(left)) {
		t->result->n_leftovers = left->n_steps;
		seal(t, now);
		return 0;
	}
	if (left)
		list_differences(t, CNI706, left);
	return -EIO;
}

int rt_apply(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_plan *plan, struct cni_diags *diags,
	     struct rt_result *result)
{
	struct transaction t = { .nl = nl, .arena = arena, .plan = plan, .diags = diags, .result = result };
	size_t before = nl->n_changes;
	int rc;

	*result = (struct rt_result){ .outcome = RT_DONE, .verified = true };
	if (!plan->n_steps)
		return 0;
	t.n_batches = nl->n_batches;
	rc = read_unread(&t);
	if (rc) {
		result->outcome = RT_UNTOUCHED;
		return rc;
	}
	rc = run_phase(&t, CNI_EXPAND, 0);
	if (!rc)
		rc = run_phase(&t, CNI_IN_PLACE, 0);
	if (!rc)
		rc = flip(&t);
	if (!rc) {
		contract(&t);
		rc = look_back(&t);
	}
	if (rc && !t.unsure && !t.n_done[CNI_EXPAND] && !t.n_done[CNI_IN_PLACE] && !t.n_done[CNI_FLIP] &&
	    !t.n_done[CNI_CONTRACT])
		result->outcome = RT_UNTOUCHED;
	else if (rc)
		roll_back(&t);
	result->n_changes = nl->n_changes - before;
	return rc == -EEXIST ? -ESTALE : rc;
}

int rt_revert(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_plan *plan, struct cni_diags *diags,
	      struct rt_result *result)
{
	struct transaction t = { .nl = nl, .arena = arena, .plan = plan, .diags = diags, .result = result };
	size_t before = nl->n_changes;

	*result = (struct rt_result){ .outcome = RT_DONE };
	roll_back(&t);
	result->n_changes = nl->n_changes - before;
	return result->outcome == RT_RESTORED ? 0 : -EIO;
}
