/* SPDX-License-Identifier: GPL-2.0-or-later */
/* simulate.c - see simulate.h. */
#include "tests/property/simulate.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

bool sim_is_up(const struct sim *sim, const char *device)
{
	for (const char *const *d = sim->down; d && *d; d++)
		if (!strcmp(*d, device))
			return false;
	return true;
}

static bool rule_selects(const struct cni_st_rule *rule, const struct machine_packet *mp)
{
	const bool fits = (!rule->has_from || cni_prefix_has(rule->from, mp->src)) &&
			  (!rule->has_to || cni_prefix_has(rule->to, mp->dst)) &&
			  (!rule->iif || !strcmp(rule->iif, mp->iif ? mp->iif : "lo")) &&
			  ((mp->mark ^ rule->mark) & rule->mask) == 0 && (!rule->ipproto || rule->ipproto == mp->proto);

	return rule->family == mp->family && fits != rule->invert;
}

static bool usable(const struct sim *sim, const struct cni_st_route *route)
{
	if (route->type != CNI_RT_UNICAST)
		return true;
	for (size_t i = 0; i < route->n_hops; i++)
		if (sim_is_up(sim, route->hops[i].device))
			return true;
	return false;
}

/* Longest prefix, then lowest metric, of those that have a device left. */
static const struct cni_st_route *best_route(const struct sim *sim, uint32_t table, const struct machine_packet *mp)
{
	const struct cni_state *state = sim->machine.state;
	const struct cni_st_route *best = NULL;

	for (size_t i = 0; i < state->n_routes; i++) {
		const struct cni_st_route *route = &state->routes[i];

		if (route->table != table || route->family != mp->family || !cni_prefix_has(route->to, mp->dst) ||
		    !usable(sim, route))
			continue;
		if (!best || route->to.len > best->to.len ||
		    (route->to.len == best->to.len && route->metric < best->metric))
			best = route;
	}
	return best;
}

/* Whether any rule stands where another goes on: without one, the kernel goes on behind that other. */
static bool is_resolved(const struct cni_state *state, const struct cni_st_rule *from)
{
	for (size_t i = 0; from->jump && i < state->n_rules; i++)
		if (state->rules[i].family == from->family && state->rules[i].priority == from->jump)
			return true;
	return false;
}

/* The rule of that family that selects the packet next; of equal priorities the first. */
static const struct cni_st_rule *next_rule(const struct cni_state *state, const struct machine_packet *mp,
					   const struct cni_st_rule *after)
{
	const uint32_t jump = after && is_resolved(state, after) ? after->jump : 0;
	const struct cni_st_rule *best = NULL;

	for (size_t i = 0; i < state->n_rules; i++) {
		const struct cni_st_rule *rule = &state->rules[i];

		if (rule->priority < jump ||
		    (after && !jump &&
		     (rule->priority < after->priority || (rule->priority == after->priority && rule <= after))))
			continue;
		if (rule_selects(rule, mp) && (!best || rule->priority < best->priority))
			best = rule;
	}
	return best;
}

struct sim_result sim_lookup(struct sim *sim, struct machine_packet *packet)
{
	static const enum sim_kind kinds[] = { [CNI_RT_UNICAST] = SIM_HOPS,
					       [CNI_RT_BLACKHOLE] = SIM_DROP,
					       [CNI_RT_UNREACHABLE] = SIM_REJECT,
					       [CNI_RT_OTHER] = SIM_DROP };
	struct sim_result result = { .kind = SIM_MAIN, .packet = *packet };
	const struct cni_state *state = sim->machine.state;

	if (machine_addr_type(state, packet->dst) == RTN_LOCAL) { /* the table `local` comes first */
		result.kind = SIM_LOCAL;
		return result;
	}
	for (const struct cni_st_rule *rule = next_rule(state, packet, NULL); rule;
	     rule = next_rule(state, packet, rule)) {
		const struct cni_st_route *route = rule->table ? best_route(sim, rule->table, packet) : NULL;

		if (!route)
			continue;
		result.kind = kinds[route->type];
		result.route = route;
		result.table = rule->table;
		return result;
	}
	return result;
}

struct sim_result sim_route(struct sim *sim, const struct packet *packet, const char *device, struct flow *flow,
			    bool reply, uint32_t mark)
{
	struct sim_result result = { 0 };
	enum machine_verdict verdict;
	struct machine_packet mp;

	machine_packet_init(&mp, packet);
	mp.iif = device;
	mp.flow = flow && !flow->none ? flow : NULL;
	mp.reply = reply;
	mp.mark = mark;
	if (reply && flow) {
		flow->replied = true;
		flow->status |= IPS_SEEN_REPLY;
	}
	verdict = machine_run(&sim->machine, &mp, device ? NF_INET_PRE_ROUTING : NF_INET_LOCAL_OUT);
	result.packet = mp;
	if (verdict == MACHINE_ACCEPT)
		return sim_lookup(sim, &mp);
	result.kind = verdict == MACHINE_DROP ? SIM_DROP : SIM_REJECT;
	return result;
}

enum machine_verdict sim_leave(struct sim *sim, struct sim_result *result, const char *oif)
{
	struct machine_packet *mp = &result->packet;
	enum machine_verdict verdict = MACHINE_ACCEPT;
	struct flow *flow = mp->flow;

	mp->oif = oif;
	if (mp->iif)
		verdict = machine_run(&sim->machine, mp, NF_INET_FORWARD);
	if (verdict == MACHINE_ACCEPT)
		verdict = machine_run(&sim->machine, mp, NF_INET_POST_ROUTING);
	if (flow)
		flow->status |= IPS_CONFIRMED | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE |
				(mp->masquerade || mp->snat ? IPS_SRC_NAT : 0);
	return verdict;
}

const char *sim_format(const struct sim *sim, const struct sim_result *result, char text[256])
{
	static const char *const words[] = { "main", "local", "drop", "reject", "via" };
	int len = snprintf(text, 256, "%s", words[result->kind]);
	char via[CNI_ADDR_TEXT];

	for (size_t i = 0; result->route && i < result->route->n_hops && len < 256; i++) {
		const struct cni_st_hop *hop = &result->route->hops[i];

		len += snprintf(text + len, 256 - (size_t)len, "%s %s%s%s weight %u%s", i ? "," : "", hop->device,
				hop->has_via ? " via " : "", hop->has_via ? cni_addr_format(hop->via, via) : "",
				hop->weight, sim_is_up(sim, hop->device) ? "" : " (down)");
	}
	if (len < 256)
		snprintf(text + len, 256 - (size_t)len, " (mark 0x%08x, table %u)", result->packet.mark, result->table);
	return text;
}
