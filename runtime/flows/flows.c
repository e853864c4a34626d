/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.c - each flow's fate by its mark, its NAT and, where that decides, its addresses; see flows.h.
 *
 * NAT is fixed at a flow's first packet. So a translated flow stays on a path that translates, and one that is not
 * stays where its new route would translate it (compiler/lower/steer.c); all others are classified again. */
#include "runtime/flows/flows.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/check/evaluate.h"
#include "compiler/lower.h"
#include "runtime/netlink/conntrack.h"

struct census {
	struct cni_arena *arena;
	const struct cni_model *model; /* NULL: no policy is left */
	uint32_t id_mask;
	size_t n_ids;
	struct path {
		const char *was; /* its description in the policy that is there; NULL: it has no such path */
		bool goes_on, translates; /* in the new one */
	} * paths; /* by id */
	size_t (*counts)[2][RT_N_FATES]; /* by id, and whether translated */
	bool any_translates, keep;
	struct cni_ranges never;
	const bool *down; /* of each target: not */
};

/* ---- the paths ---- */

/* The id of "path.ID", 0: another counter, or one that is too high. */
static unsigned int id_of(const struct census *census, const struct cni_st_counter *counter)
{
	unsigned long id;
	char *end;

	if (strncmp(counter->name, "path.", 5))
		return 0;
	id = strtoul(counter->name + 5, &end, 10);
	return *end || id >= census->n_ids ? 0 : (unsigned int)id;
}

/* Where a flow came in, not where a policy sends it. */
static bool is_return(const struct cni_st_counter *counter)
{
	return counter->comment && !strncmp(counter->comment, "return ", 7);
}

static void find_paths(struct census *census, const struct cni_state *observed, const struct cni_state *desired)
{
	for (size_t i = 0; i < observed->n_counters; i++) {
		unsigned int id = id_of(census, &observed->counters[i]);

		if (id && !is_return(&observed->counters[i]))
			census->paths[id].was = observed->counters[i].comment ? observed->counters[i].comment : "";
	}
	for (size_t i = 0; i < desired->n_counters; i++) {
		unsigned int id = id_of(census, &desired->counters[i]);

		if (id && !is_return(&desired->counters[i]))
			census->paths[id].goes_on = true;
	}
}

/* The map "translated.…" has the marks of the paths on which translated flows stay. */
static void find_translating(struct census *census, const struct cni_state *desired)
{
	const unsigned int shift = (unsigned int)__builtin_ctz(census->id_mask);

	for (size_t i = 0; i < desired->n_sets; i++) {
		const struct cni_st_set *set = &desired->sets[i];

		if (strncmp(set->name, "translated.", 11) || !set->map || set->key_len != sizeof(uint32_t))
			continue;
		for (size_t e = 0; e < set->n_elems; e++) {
			uint32_t mark;

			memcpy(&mark, set->keys + e * sizeof(mark), sizeof(mark));
			census->paths[(mark & census->id_mask) >> shift].translates = true;
			census->any_translates = true;
		}
	}
}

/* ---- one flow ---- */

static bool translates(const struct cni_route *route)
{
	bool any = route->path.masquerade || route->has_source;

	for (size_t i = 0; i < route->path.n_members; i++)
		any |= route->path.members[i].masquerade;
	return any;
}

/* Whether the policy on this device would translate the packet: as a set of answers. */
enum { NO = 1, YES = 2 };

static unsigned int asked_on(const struct census *census, const char *device, const struct cni_packet *packet)
{
	struct cni_decision decision =
		cni_evaluate(census->arena, census->model, &census->never, device, packet, census->down);

	if (decision.asks)
		return NO | YES;
	return decision.route && !decision.never_steered && translates(decision.route) ? YES : NO;
}

/* Conntrack does not know where a flow came in: what all policies agree on is sure. */
static unsigned int would_translate(const struct census *census, const struct rt_flow *flow)
{
	const struct cni_packet packet = rt_flow_packet(flow);
	const struct cni_model *m = census->model;
	unsigned int answers = 0;

	if (!(packet.known & CNI_HAS_FROM))
		return NO | YES;
	for (size_t i = 0; i < m->n_policies; i++) {
		if (m->policies[i].n_devices)
			answers |= asked_on(census, m->policies[i].devices[0], &packet);
		if (m->policies[i].local)
			answers |= asked_on(census, "local", &packet);
	}
	return answers;
}

static enum rt_fate fate_of(const struct census *census, const struct path *path, const struct rt_flow *flow)
{
	unsigned int answers;

	if (!census->model)
		return RT_FLOW_FOLLOWS;
	if (census->keep && path->goes_on)
		return RT_FLOW_KEEPS;
	if (flow->translated)
		return path->translates ? RT_FLOW_STAYS : RT_FLOW_FOLLOWS;
	answers = census->any_translates ? would_translate(census, flow) : NO;
	if (answers & NO)
		return answers & YES ? RT_FLOW_MAY_STAY : RT_FLOW_FOLLOWS;
	return path->goes_on ? RT_FLOW_STAYS : RT_FLOW_ENDS;
}

static void count(const struct rt_flow *flow, void *arg)
{
	struct census *census = arg;
	uint32_t id = (flow->mark & census->id_mask) >> __builtin_ctz(census->id_mask);
	const struct path *path = &census->paths[id];

	if (path->was)
		census->counts[id][flow->translated][fate_of(census, path, flow)]++;
}

/* ---- all of them ---- */

/* Whether a packet may be steered in another way than now. */
static bool steers_anew(const struct cni_plan *plan)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].phase == CNI_FLIP)
			return plan->observed->has_table;
	return false;
}

/* The mask that the policy in the kernel has; 0: it has no path with a rule. */
static uint32_t mask_of(const struct cni_state *observed)
{
	for (size_t i = 0; i < observed->n_rules; i++)
		if (observed->rules[i].owned && cni_rule_is_by_mark(&observed->rules[i]))
			return observed->rules[i].mask;
	return 0;
}

static struct rt_flows summed(struct cni_arena *arena, const struct census *census)
{
	struct rt_flows flows = { .asked = true };

	for (unsigned int id = 0; id < census->n_ids; id++)
		for (unsigned int cell = 0; census->paths[id].was && cell < 2 * RT_N_FATES; cell++) {
			enum rt_fate fate = (enum rt_fate)(cell % RT_N_FATES);
			bool translated = cell / RT_N_FATES;
			size_t n = census->counts[id][translated][fate];

			if (!n)
				continue;
			flows.n_known += n;
			flows.n_fates[fate] += n;
			*cni_push(arena, flows.paths, flows.n_paths) =
				(struct rt_path_flows){ id, census->paths[id].was, translated, fate, n };
		}
	return flows;
}

struct rt_flows rt_flows_of(struct cni_arena *arena, struct rt_netlink *nl, const struct cni_model *model,
			    const struct cni_plan *plan)
{
	const uint32_t mask = mask_of(plan->observed);
	struct census census = { .arena = arena, .model = model };
	struct rt_flows none = { 0 };

	/* under another mask the marks that are there mean nothing to the new policy */
	if (!nl || !steers_anew(plan) || !mask || (model && model->options.mark_mask != mask))
		return none;
	census.id_mask = cni_id_mask(mask);
	census.n_ids = (census.id_mask >> __builtin_ctz(census.id_mask)) + 1;
	census.paths = cni_new_array(arena, struct path, census.n_ids);
	census.counts = cni_alloc(arena, census.n_ids * sizeof(*census.counts));
	find_paths(&census, plan->observed, plan->desired);
	find_translating(&census, plan->desired);
	if (model) {
		census.keep = model->options.established == CNI_ESTABLISHED_KEEP;
		census.never = cni_never_steered(arena, model);
		census.down = cni_new_array(arena, bool, model->n_targets);
	}
	return rt_conntrack_each(nl, count, &census) ? none : summed(arena, &census);
}

/* ---- telling ---- */

static const struct {
	const char *name, *words;
} fates[RT_N_FATES] = {
	[RT_FLOW_FOLLOWS] = { "follows", "steered anew" },
	[RT_FLOW_KEEPS] = { "keeps", "kept there (established keep)" },
	[RT_FLOW_STAYS] = { "keeps until it ends", "kept there until they end, since their NAT is fixed" },
	[RT_FLOW_MAY_STAY] = { "follows or keeps until it ends", "the one or the other: conntrack knows no DSCP and "
								 "no device" },
	[RT_FLOW_ENDS] = { "ends", "lost: their path is gone, and their NAT forbids another" },
};

static json_t *flows_json(const struct rt_flows *flows)
{
	json_t *list = json_array();

	for (size_t i = 0; i < flows->n_paths; i++) {
		const struct rt_path_flows *p = &flows->paths[i];

		json_array_append_new(list,
				      json_pack("{s:s%, s:b, s:I, s:s}", "path", p->path, strlen(p->path), "translated",
						p->translated, "flows", (json_int_t)p->n, "fate", fates[p->fate].name));
	}
	return json_pack("{s:I, s:I, s:I, s:o}", "known", (json_int_t)flows->n_known, "kept",
			 (json_int_t)(flows->n_fates[RT_FLOW_KEEPS] + flows->n_fates[RT_FLOW_STAYS]), "may_be_kept",
			 (json_int_t)flows->n_fates[RT_FLOW_MAY_STAY], "by_path", list);
}

static void write_text(struct cni_text *out, const struct rt_flows *flows, bool policy)
{
	cni_text_printf(out, "flows: %zu on paths of the present policy", flows->n_known);
	for (enum rt_fate fate = 0; fate < RT_N_FATES; fate++)
		if (flows->n_fates[fate])
			cni_text_printf(out, "; %zu %s", flows->n_fates[fate],
					policy ? fates[fate].words : "by main from now on");
	cni_text_puts(out, "\n");
}

void rt_show_flows(struct rt_session *session, struct rt_netlink *nl, const struct cni_model *model,
		   const struct cni_plan *plan)
{
	const struct rt_options *options = session->options;
	struct rt_flows flows;

	if (options->quiet && !options->json)
		return;
	flows = rt_flows_of(session->arena, nl, model, plan);
	if (options->json)
		rt_session_json(session, "flows", flows.asked ? flows_json(&flows) : json_null());
	else if (flows.asked && flows.n_known)
		write_text(&session->out, &flows, model);
}
