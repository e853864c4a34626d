/* SPDX-License-Identifier: GPL-2.0-or-later */
/* laws.c - see laws.h. */
#include "tests/property/laws.h"

#include <string.h>

#include "compiler/arena.h"
#include "runtime/netlink/execute.h"
#include "runtime/netlink/report.h"
#include "tests/property/live.h"

bool laws_break(struct laws *l, enum law law, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!l->how) {
		l->broken = law;
		l->how = cni_printf(l->arena, "%s: %s", l->what, cni_vprintf(l->arena, format, args));
	}
	va_end(args);
	return false;
}

/* ---- the plan by itself ---- */

static bool is_owned(enum cni_object object, const void *record)
{
	switch (object) {
	case CNI_LINK:
		return ((const struct cni_st_link *)record)->owned;
	case CNI_ADDR:
		return ((const struct cni_st_addr *)record)->owned;
	case CNI_RULE:
		return ((const struct cni_st_rule *)record)->owned;
	case CNI_ROUTE:
		return ((const struct cni_st_route *)record)->owned;
	default:
		return true;
	}
}

static bool check_step(struct laws *l, const struct cni_plan *plan, size_t i)
{
	const struct cni_step *s = &plan->steps[i];
	const char *text = rt_step_text(l->arena, s);

	if ((s->before && !is_owned(s->object, s->before)) || (s->after && !is_owned(s->object, s->after)))
		return laws_break(l, LAW_FOREIGN, "%s is not ours", text);
	if ((i && plan->steps[i - 1].phase > s->phase) || (!s->before && !s->after) ||
	    (s->op == CNI_ADD) != !s->before || (s->op == CNI_DELETE) != !s->after ||
	    (s->phase == CNI_FLIP && s->object != CNI_BASE_RULES) || (s->phase == CNI_EXPAND && s->op == CNI_DELETE) ||
	    (s->phase != CNI_FLIP && s->object == CNI_BASE_RULES) || (s->phase == CNI_CONTRACT && s->op == CNI_ADD))
		return laws_break(l, LAW_PHASES, "%s in phase %d", text, (int)s->phase);
	return true;
}

/* The devices that lose what stands on them in between; ends in NULL. */
static const char **remade_devices(struct laws *l, const struct cni_plan *plan)
{
	const char **devices = NULL;
	size_t n = 0;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct cni_step *s = &plan->steps[i];
		const void *any = s->before ? s->before : s->after;

		if (s->phase != CNI_IN_PLACE)
			continue;
		if (s->object == CNI_LINK && s->op != CNI_CHANGE)
			*cni_push(l->arena, devices, n) = ((const struct cni_st_link *)any)->name;
		else if (s->object == CNI_ADDR)
			*cni_push(l->arena, devices, n) = ((const struct cni_st_addr *)any)->device;
	}
	*cni_push(l->arena, devices, n) = NULL;
	return devices;
}

static bool is_over(const struct cni_st_route *route, const char *const *devices)
{
	for (; route && *devices; devices++)
		for (size_t i = 0; i < route->n_hops; i++)
			if (!strcmp(route->hops[i].device, *devices))
				return true;
	return false;
}

/* Whether a mark leads there, and by a rule of ours: the table of a way. */
static bool is_way(const struct cni_state *state, uint32_t table)
{
	bool way = false;

	for (size_t i = 0; i < state->n_rules; i++) {
		const struct cni_st_rule *rule = &state->rules[i];

		if (rule->table == table && !rule->owned)
			return false;
		way |= rule->table == table && rule->mask;
	}
	return way;
}

/* Devices, settings and addresses are changed where they are, and with them goes what stands on them; so are the tables
 * of outer packets and answers, and their rules, which are found by source. */
static bool check_in_place(struct laws *l, const struct cni_plan *plan, const struct cni_step *s,
			   const char *const *remade)
{
	const void *any = s->before ? s->before : s->after;
	const struct cni_st_route *before = s->before, *after = s->after;
	const uint32_t table = s->object == CNI_ROUTE ? (before ? before : after)->table : 0;

	l->n_in_place++;
	if (s->object <= CNI_ADDR || (s->object == CNI_RULE && ((const struct cni_st_rule *)any)->has_from))
		return true;
	if (s->object == CNI_ROUTE && ((l->mends && s->op == CNI_ADD) || is_over(before, remade) ||
				       is_over(after, remade) || !is_way(plan->observed, table)))
		return true;
	return laws_break(l, LAW_IN_PLACE, "in place, kind %d: %s", (int)s->op, rt_step_text(l->arena, s));
}

/* ---- message by message ---- */

struct course_of { /* a probe, and what it meets before and after; both where it is asked for in both */
	struct probe probe;
	bool has_old, has_new;
	bool carried; /* a new one: its way had a mark before */
	struct course old, new;
};

struct walk {
	struct laws *laws;
	const struct cni_plan *plan;
	const char **remade;
	struct router start, *router;
	struct live old, new;
	struct course_of *probes;
	size_t n_probes;
	size_t contract; /* the first step after the flip */
	bool ends; /* without a fault */
	bool in_place; /* such steps have begun */
};

static size_t message_length(const struct cni_step *steps, size_t n)
{
	size_t end = 1;

	while (rt_is_nft(steps) && end < n && rt_is_nft(&steps[end]) && steps[end].phase == steps->phase)
		end++;
	return end;
}

size_t laws_messages(const struct cni_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_steps; n++)
		i += message_length(plan->steps + i, plan->n_steps - i);
	return n;
}

static bool has_way(const struct cni_state *state, const char *way)
{
	for (size_t i = 0; way && i < state->n_counters; i++)
		if (state->counters[i].comment && !strcmp(state->counters[i].comment, way))
			return true;
	return false;
}

static void ask(struct walk *w, const struct live *live, const struct cni_state *end, bool is_new)
{
	const struct probes probes = live_probes(w->laws->arena, live);

	for (size_t i = 0; i < probes.n_items; i++) {
		struct course_of *c = cni_push(w->laws->arena, w->probes, w->n_probes);

		c->probe = probes.items[i];
		c->has_old = !is_new;
		c->has_new = is_new;
		c->carried = is_new && has_way(&w->start.state, c->probe.way);
		/* while changes are made in place, either answer will do */
		c->old = probe_course(w->laws->arena, &w->start.state, &c->probe);
		c->new = probe_course(w->laws->arena, end, &c->probe);
	}
	w->laws->n_probes += probes.n_items;
}

/* Whether a step can make a difference to a probe. */
static bool concerns(const struct walk *w, const struct cni_step *s, const struct probe *probe)
{
	const struct cni_state *now = &w->router->state;
	const struct cni_st_route *route = s->before ? s->before : s->after;

	if (s->object == CNI_RULE)
		return probe_matches(probe, s->before ? s->before : s->after);
	if (s->object != CNI_ROUTE)
		return s->object != CNI_SETTING && (!rt_is_nft(s) || s->phase == CNI_FLIP);
	for (size_t i = 0; i < now->n_rules; i++)
		if (now->rules[i].table == route->table && probe_matches(probe, &now->rules[i]))
			return true;
	return false;
}

static bool closes(const struct course *course)
{
	return course->n_routes && course->routes[course->n_routes - 1]->type != CNI_RT_UNICAST;
}

static bool closes_as(const struct course *now, const struct course_of *c)
{
	return closes(now) || !closes(&c->old) || !closes(&c->new);
}

static bool check_course(struct walk *w, const struct course_of *c, const struct cni_step *after, bool flipped)
{
	struct laws *l = w->laws;
	const struct course now = probe_course(l->arena, &w->router->state, &c->probe);
	const struct course *want = flipped ? &c->new : &c->old;

	if (course_same(&now, want, NULL))
		return true;
	if (w->in_place && !flipped && (course_same(&now, &c->old, w->remade) || course_same(&now, &c->new, w->remade)))
		return true;
	/* what lost a part in a change that was cut off is made whole as soon as that can be; a rule by source that is about
	 * to go may lead there, too */
	if (!flipped && l->mends && closes_as(&now, c) && (!c->probe.way || course_within(&now, &c->old, &c->new)))
		return true;
	/* a way that loses some of its targets leads to them until contract, as it did */
	if (flipped && c->carried && course_has(&c->old, &now) && course_has(&now, &c->new))
		return true;
	/* what is found by source knows no flip: its tables are changed in place, route by route, and what they lose, or
	 * the rule that led elsewhere, goes in contract */
	if (!c->probe.way &&
	    (flipped ? course_has(&now, &c->new) || course_same(&now, &c->old, w->remade) : w->in_place) &&
	    closes_as(&now, c) && course_within(&now, &c->old, &c->new))
		return true;
	return laws_break(l, LAW_ROUTES, "after phase %d, %s:\n  %s\n  was %s\n  is to be %s", (int)after->phase,
			  rt_step_text(l->arena, after), course_format(l->arena, &c->probe, &now),
			  course_format(l->arena, &c->probe, &c->old), course_format(l->arena, &c->probe, &c->new));
}

static bool check_steering(struct walk *w, const struct cni_step *step, bool flipped)
{
	struct laws *l = w->laws;

	if (rt_is_nft(step)) {
		const struct live *wanted = flipped ? &w->new : &w->old;
		const struct live now = live_of(l->arena, &w->router->state, wanted);
		const char *difference = live_difference(l->arena, &now, wanted);

		if (difference)
			return laws_break(l, LAW_STEERING, "after the nft batch of phase %d: %s", (int)step->phase,
					  difference);
	}
	for (size_t i = 0; i < w->n_probes; i++)
		if ((flipped ? w->probes[i].has_new : w->probes[i].has_old) && concerns(w, step, &w->probes[i].probe) &&
		    !check_course(w, &w->probes[i], step, flipped))
			return false;
	return true;
}

static bool run(struct router *router, const struct cni_step *steps, size_t n_steps, bool again)
{
	for (size_t i = 0, n; i < n_steps; i += n) {
		n = router_message(router, steps + i, n_steps - i, again);
		if (!n)
			return false;
	}
	return true;
}

/* As when a message behind the first `n` steps fails, and they are undone. */
static bool check_undo(struct walk *w, size_t n)
{
	struct laws *l = w->laws;
	struct router undone = router_copy(w->router);
	const char *difference;

	if (!run(&undone, rt_inverse(l->arena, w->plan->steps, n), n, true))
		return laws_break(l, LAW_UNDO, "undoing %zu steps: %s", n, undone.fault);
	difference = router_difference(l->arena, &w->start, &undone);
	return !difference || laws_break(l, LAW_UNDO, "%zu steps undone leave a difference: %s", n, difference);
}

/* Undoing is looked at where the change is cut off, and where a phase ends. */
static bool carry_out(struct walk *w, size_t n_cut, struct router *cut)
{
	const struct cni_plan *plan = w->plan;
	struct laws *l = w->laws;

	for (size_t i = 0, n; i < plan->n_steps; i += n) {
		const struct cni_step *steps = &plan->steps[i];
		bool ends, cut_here;

		n = router_message(w->router, steps, plan->n_steps - i, false);
		l->n_messages++;
		if (!n)
			return laws_break(l, LAW_LEGAL, "phase %d, %s: %s", (int)steps->phase,
					  rt_step_text(l->arena, steps), w->router->fault);
		ends = i + n == plan->n_steps || steps[n].phase != steps->phase;
		cut_here = cut && !--n_cut;
		if (cut_here)
			*cut = router_copy(w->router);
		w->in_place |= steps->phase == CNI_IN_PLACE;
		if ((w->ends && !check_steering(w, steps, i + n > w->contract || (ends && steps->phase == CNI_FLIP))) ||
		    (steps->phase < CNI_FLIP && (ends || cut_here) && !check_undo(w, i + n)))
			return false;
	}
	return true;
}

/* ---- what was wanted ---- */

#define HOLDS(kind, list, what, same, ours)                                                                            \
	for (size_t i = 0, j = 0; i < now->n_##list || j < want->n_##list;) {                                          \
		const struct cni_st_##kind *x = i < now->n_##list ? &now->list[i] : NULL;                              \
		const struct cni_st_##kind *y = j < want->n_##list ? &want->list[j] : NULL;                            \
		int o = !x ? 1 : !y ? -1 : cni_##kind##_cmp(x, y);                                                     \
                                                                                                                       \
		if (o < 0 ? (ours) : o > 0 || !(same))                                                                 \
			return laws_break(l, LAW_REACHES, "%s is %s",                                                  \
					  rt_step_text(l->arena, &(struct cni_step){ .object = (what),                 \
										     .after = o > 0 ? y : x }),        \
					  o < 0	  ? "still there"                                                      \
					  : o > 0 ? "missing"                                                          \
						  : "another one");                                                    \
		i += o <= 0;                                                                                           \
		j += o >= 0;                                                                                           \
	}

/* All that is wanted is there, ours or the same of someone else's, and no more of ours. */
static bool check_reached(struct laws *l, const struct cni_state *now, const struct cni_state *want)
{
	HOLDS(link, links, CNI_LINK, cni_link_same(x, y) || !x->owned, x->owned)
	HOLDS(addr, addrs, CNI_ADDR, true, x->owned)
	HOLDS(rule, rules, CNI_RULE, true, x->owned)
	HOLDS(route, routes, CNI_ROUTE, cni_route_same(x, y), x->owned)
	HOLDS(setting, settings, CNI_SETTING, x->value == y->value, false)
	HOLDS(counter, counters, CNI_COUNTER, cni_counter_same(x, y), true)
	HOLDS(set, sets, CNI_SET, cni_set_same(x, y), true)
	HOLDS(chain, chains, CNI_CHAIN, cni_chain_same(x, y), true)
	return now->has_table == want->has_table || laws_break(l, LAW_REACHES, "the table");
}

bool laws_carry_out(struct laws *l, struct router *router, const struct cni_plan *plan, size_t n_cut,
		    struct router *cut)
{
	struct router end = router_copy(router);
	struct walk w = { .laws = l,
			  .plan = plan,
			  .start = router_copy(router),
			  .router = router,
			  .remade = remade_devices(l, plan) };

	for (size_t i = 0; i < plan->n_steps; i++) {
		if (!check_step(l, plan, i) ||
		    (plan->steps[i].phase == CNI_IN_PLACE && !check_in_place(l, plan, &plan->steps[i], w.remade)))
			return false;
		w.contract += plan->steps[i].phase < CNI_CONTRACT;
	}
	l->n_steps += plan->n_steps;
	/* a fault is told of where it is met again */
	if (run(&end, plan->steps, plan->n_steps, false)) {
		w.old = live_of(l->arena, &w.start.state, NULL);
		w.new = live_of(l->arena, &end.state, NULL);
		ask(&w, &w.old, &end.state, false);
		ask(&w, &w.new, &end.state, true);
		w.ends = true;
	}
	return carry_out(&w, n_cut, cut) && check_reached(l, router_observe(router), plan->desired);
}
