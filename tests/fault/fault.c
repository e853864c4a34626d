/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fault.c - from one policy to another with something going wrong at each message in turn, over the running kernel.
 *
 *   fault [--full] [--tunnels] [--top DIRECTORY] [TRANSITION…]
 *
 * Every transition is gone through both ways. After each fault the kernel is read by another transport: it must hold
 * exactly what was, or what was meant, as the outcome says; and a clean apply must get there. Trials that leave exactly
 * what was follow each other directly, and the clean apply behind the last of them stands for all. At each message one
 * kind of fault is tried, in rotation; with --full, every one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/netlink/snapshot.h"
#include "runtime/transaction.h"
#include "tests/fault/compare.h"
#include "tests/fault/faulty.h"
#include "tests/fault/flows.h"
#include "tests/fault/router.h"
#include "tests/fault/transitions.h"

#define TRIALS_BETWEEN 12 /* clean applies */

enum pass { PASS_MESSAGES, PASS_REQUESTS, PASS_DEAD, N_PASSES };

struct tally {
	size_t messages, requests, faults, old, new, converged;
};

struct run {
	bool full;
	const char *top, *scratch;
	struct faulty *faulty;
	struct rt_netlink *wrong, *clean; /* over the faulty transport, and over one of their own */
	const struct transition *transition;
	const char *files[2];
	const struct cni_state *bare; /* before any policy */
	struct attempt last;
	struct tally tally, total;
	size_t pending; /* trials since the last clean apply */
	size_t rotation;
	unsigned int failures;
};

/* Only the first few are told of: the rest are mostly their doing. */
static void fail(struct run *r, const char *what, const char *why, const struct attempt *a)
{
	if (++r->failures > 5)
		return;
	printf("#   %s: %s\n", what, why);
	attempt_print(a);
}

/* ---- one trial ---- */

struct trial {
	enum pass pass;
	enum fault fault;
	size_t at;
	int side; /* from files[side] to the other */
};

static const char *name_of(struct cni_arena *arena, const struct run *r, const struct trial *t)
{
	static const char *const units[] = { "message", "request", "datagram" };

	return cni_printf(arena, "%s, %s, %s at %s %zu", r->transition->name, t->side ? "back" : "forth",
			  fault_names[t->fault], units[t->pass], t->at);
}

static bool reaches(struct rt_netlink *nl, struct cni_arena *arena, const struct cni_state *desired, size_t n_leftovers)
{
	const struct cni_state *now = router_look(nl, arena);
	const struct cni_plan *left;
	struct cni_diags diags;

	cni_diags_init(&diags, arena);
	left = cni_plan(arena, now, desired, &diags);
	return left->n_steps == n_leftovers && (!n_leftovers || left->steps->phase == CNI_CONTRACT);
}

/* What the outcome says is what is there. *moved: it is not what was any more. */
static const char *judge(struct run *r, const struct attempt *a, const struct trial *t, const struct rt_result *result,
			 bool *moved)
{
	const struct cni_state *old = a->plan->observed, *new = a->plan->desired,
			       *now = router_look(r->clean, a->arena);
	const char *from_old = differs(a->arena, old, now), *why;

	*moved = from_old;
	why = differs_foreign(a->arena, r->bare, now);
	if (!why)
		why = differs_noted(a->arena, r->bare, now);
	if (why)
		return why;
	if (t->pass == PASS_DEAD) {
		why = differs_steering(a->arena, old, now, r->transition->in_place);
		r->tally.old += !why;
		if (why && !differs_steering(a->arena, new, now, r->transition->in_place)) {
			r->tally.new ++;
			why = NULL;
		}
		return why;
	}
	switch (result->outcome) {
	case RT_DONE:
		if (!reaches(r->clean, a->arena, new, result->n_leftovers))
			return "done, but it is not as it was meant";
		r->tally.new ++;
		return result->verified ? NULL : "done, but not verified";
	case RT_INCOMPLETE:
		return from_old ? cni_printf(a->arena, "incomplete: %s", from_old) : "incomplete, though all is back";
	default:
		r->tally.old += !from_old;
		return from_old;
	}
}

/* Without a plan nothing was begun. */
static const char *judge_unplanned(struct run *r, const struct attempt *a, const struct cni_state *before)
{
	const char *why = differs(a->arena, before, router_look(r->clean, a->arena));

	r->tally.old += !why;
	return why;
}

/* The plan of the trial before still holds where that left exactly what was; only nft's generation has moved on. */
static struct attempt *plan_for(struct run *r, const struct trial *t, bool reuse)
{
	if (reuse && r->last.plan)
		rt_generation(r->clean, &((struct cni_state *)r->last.plan->observed)->generation);
	else {
		attempt_free(&r->last);
		r->last = attempt_new(r->wrong, r->files[!t->side], r->transition->flows);
	}
	return &r->last;
}

static void explain(struct run *r, const struct attempt *a, const struct trial *t, const struct rt_result *result,
		    const char *why)
{
	fail(r, name_of(a->arena, r, t),
	     cni_printf(a->arena, "outcome %d of phase %d: %s", (int)result->outcome, (int)result->phase, why), a);
}

static void note_size(struct run *r, const struct trial *t)
{
	if (t->pass == PASS_MESSAGES)
		r->tally.messages += r->faulty->n_messages;
	else if (t->pass == PASS_REQUESTS)
		r->tally.requests += r->faulty->n_requests;
}

/* False: there is no such message. *moved: what was before is no more. */
static bool run_trial(struct run *r, const struct trial *t, bool reuse, bool *moved)
{
	struct attempt a = { .arena = cni_arena_new() };
	const bool whole = t->pass == PASS_REQUESTS;
	struct rt_result result = { .outcome = RT_UNTOUCHED };
	const struct cni_state *before = whole ? router_look(r->clean, a.arena) : NULL;
	const char *why = NULL;
	bool struck;

	*moved = false;
	if (r->transition->flows)
		flows_plant();
	faulty_arm(r->faulty, t->fault, whole ? t->at : 0);
	r->faulty->on_requests = whole;
	a.plan = plan_for(r, t, reuse && !whole)->plan;
	a.session = rt_session_new(a.arena, r->last.session->options);
	if (!whole)
		faulty_arm(r->faulty, t->fault, t->at);
	if (a.plan)
		rt_apply(r->wrong, a.arena, a.plan, a.session->diags, &result);
	struck = r->faulty->struck;
	if (!struck)
		note_size(r, t);
	faulty_arm(r->faulty, FAULT_ENOMEM, 0);
	r->tally.faults += struck;
	if (struck)
		why = a.plan ? judge(r, &a, t, &result, moved) : judge_unplanned(r, &a, before);
	else if (!a.plan || result.outcome != RT_DONE || result.n_leftovers ||
		 !reaches(r->clean, a.arena, a.plan->desired, 0))
		why = "failed without a fault";
	if (why)
		explain(r, &a, t, &result, why);
	*moved |= !struck;
	attempt_free(&a);
	return struck;
}

static void converge(struct run *r, int side)
{
	struct attempt none = { .arena = cni_arena_new() };
	const char *why = router_converge(r->clean, none.arena, r->files[side], r->transition->flows, r->bare);

	if (why)
		fail(r, cni_printf(none.arena, "%s: converging", r->transition->name), why, &none);
	else
		r->tally.converged += r->pending;
	r->pending = 0;
	attempt_free(&none);
}

/* ---- all trials of a transition ---- */

static enum fault next_fault(const struct run *r, enum pass pass, size_t at, size_t kind)
{
	if (pass == PASS_DEAD)
		return FAULT_DEAD;
	return (enum fault)((r->full ? kind : at + r->rotation) % N_FAULTS);
}

/* A trial of each kind at each message, from both sides in turn, until neither has a message left. */
static void run_pass(struct run *r, enum pass pass)
{
	const size_t n_kinds = r->full && pass != PASS_DEAD ? N_FAULTS : 1;
	size_t at[2] = { 1, 1 }, kind[2] = { 0 };
	bool over[2] = { 0 };

	for (int side = 0; !over[0] || !over[1]; side = !side) {
		bool moved = false;

		for (size_t i = 0; !moved && !over[side] && i < TRIALS_BETWEEN; i++) {
			struct trial t = { pass, next_fault(r, pass, at[side], kind[side]), at[side], side };

			over[side] = !run_trial(r, &t, i > 0, &moved);
			r->pending += !over[side];
			if (++kind[side] == n_kinds) {
				kind[side] = 0;
				at[side]++;
			}
		}
		converge(r, !side);
	}
	r->rotation += 3;
}

static void add(struct tally *to, const struct tally *t)
{
	to->messages += t->messages;
	to->requests += t->requests;
	to->faults += t->faults;
	to->old += t->old;
	to->new += t->new;
	to->converged += t->converged;
}

static bool run_transition(struct run *r, const struct transition *transition)
{
	struct cni_arena *arena = cni_arena_new();
	const struct tally *t = &r->tally;
	double begun = seconds();
	bool good;

	r->transition = transition;
	r->tally = (struct tally){ 0 };
	r->failures = 0;
	r->files[0] = transition_file(arena, r->top, r->scratch, transition->from);
	r->files[1] = transition_file(arena, r->top, r->scratch, transition->to);
	r->pending = 0;
	converge(r, 0);
	run_pass(r, PASS_MESSAGES);
	run_pass(r, PASS_DEAD);
	if (r->full || transition->flows)
		run_pass(r, PASS_REQUESTS);
	r->files[0] = NULL;
	converge(r, 0);
	add(&r->total, t);
	good = !r->failures && t->faults && t->faults == t->old + t->new && t->faults == t->converged;
	printf("%sok - %s: %zu messages, faults %zu, wholly old %zu, wholly new %zu, converged %zu (%.1f s)\n",
	       good ? "" : "not ", transition->name, t->messages, t->faults, t->old, t->new, t->converged,
	       seconds() - begun);
	fflush(stdout);
	cni_arena_free(arena);
	return good;
}

static bool is_chosen(const struct run *r, const struct transition *t, bool tunnels, char **names)
{
	if (!*names)
		return t->tunnels == tunnels && (r->full || !t->slow);
	for (; *names; names++)
		if (strstr(t->name, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	char scratch[] = "/tmp/cnic-fault.XXXXXX";
	struct cni_arena *arena = cni_arena_new();
	struct cni_diags diags;
	struct run r = { .top = ".", .scratch = mkdtemp(scratch), .full = getenv("CNIC_FULL") };
	bool tunnels = false;
	size_t n = 0;
	int failed = 0;

	(void)argc;
	for (argv++; *argv && **argv == '-'; argv++) {
		r.full |= !strcmp(*argv, "--full");
		tunnels |= !strcmp(*argv, "--tunnels");
		if (!strcmp(*argv, "--top") && argv[1])
			r.top = *++argv;
	}
	router_enter();
	cni_diags_init(&diags, arena);
	if (!r.scratch || faulty_open(&r.faulty) || rt_netlink_open(&r.clean, &diags))
		bail_out("%s", strerror(errno));
	r.wrong = rt_netlink_new(&r.faulty->transport);
	r.bare = router_look(r.clean, arena);
	for (size_t i = 0; i < n_transitions; i++)
		if (is_chosen(&r, &transitions[i], tunnels, argv)) {
			n++;
			failed += !run_transition(&r, &transitions[i]);
		}
	printf("1..%zu\n# faults tried %zu, wholly old %zu, wholly new %zu, converged %zu\n", n, r.total.faults,
	       r.total.old, r.total.new, r.total.converged);
	shell(cni_printf(arena, "rm -r %s", scratch));
	attempt_free(&r.last);
	rt_netlink_free(r.wrong);
	rt_netlink_free(r.clean);
	cni_arena_free(arena);
	return failed != 0;
}
