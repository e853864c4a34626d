/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.c - what keeps flows from being followed: flowtables, rules that do not track, a full conntrack table. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <string.h>

#include "runtime/doctor/doctor.h"

static const struct cni_span nowhere;

/* ---- flowtables ---- */

struct search {
	const char *pattern;
	const char *found; /* a device of the policy that the pattern stands for */
};

static void match_device(const char *device, void *arg)
{
	struct search *search = arg;
	size_t len = strlen(search->pattern);
	bool is_prefix = len && search->pattern[len - 1] == '*';

	if (is_prefix ? !strncmp(device, search->pattern, len - 1) : !strcmp(device, search->pattern))
		search->found = device;
}

static const char *policy_device(const struct rt_doctor *d, const struct rt_foreign_flowtable *table)
{
	for (size_t i = 0; i < table->n_devices; i++) {
		struct search search = { table->devices[i], NULL };

		rt_policy_devices(d->model, match_device, &search);
		if (search.found)
			return search.found;
	}
	return NULL;
}

static bool feeds(const struct rt_foreign_rule *rule, const struct rt_foreign_flowtable *table)
{
	return rule->flowtable && !strcmp(rule->flowtable, table->name) && !strcmp(rule->table, table->table) &&
	       !strcmp(rule->family, table->family);
}

/* The commands that stop it: its rules first, for they hold it. NULL: no rule adds a flow to it. */
static const char *stop(struct rt_doctor *d, const struct rt_foreign_flowtable *table)
{
	const char *commands = NULL;

	for (size_t i = 0; i < d->foreign->n_rules; i++) {
		const struct rt_foreign_rule *rule = &d->foreign->rules[i];

		if (feeds(rule, table))
			commands = cni_printf(d->arena, "%snft delete rule %s %s %s handle %llu && ",
					      commands ? commands : "", rule->family, rule->table, rule->chain,
					      (unsigned long long)rule->handle);
	}
	return commands ? cni_printf(d->arena, "%snft delete flowtable %s %s %s", commands, table->family, table->table,
				     table->name)
			: NULL;
}

const char *rt_look_flowtables(struct rt_doctor *d, enum rt_verdict *verdict)
{
	(void)verdict;
	for (size_t i = 0; i < d->foreign->n_flowtables; i++) {
		const struct rt_foreign_flowtable *table = &d->foreign->flowtables[i];
		const char *commands = stop(d, table), *device = d->model ? policy_device(d, table) : NULL;
		struct cni_diag *diag;

		if (!commands || (d->model && !device))
			continue;
		diag = rt_finding(d, d->model ? CNI741 : CNI742, nowhere,
				  "flowtable %s of table %s %s takes flows%s%s past every chain%s", table->name,
				  table->family, table->table, device ? " of device " : "", device ? device : "",
				  table->offload ? ", in hardware" : "");
		cni_diag_help(d->diags, diag, "%s", commands);
	}
	return cni_printf(d->arena, "%zu flowtable%s of others", d->foreign->n_flowtables,
			  d->foreign->n_flowtables == 1 ? "" : "s");
}

/* ---- rules that do not track ---- */

const char *rt_look_tracking(struct rt_doctor *d, enum rt_verdict *verdict)
{
	(void)verdict;
	for (size_t i = 0; i < d->foreign->n_rules; i++) {
		const struct rt_foreign_rule *rule = &d->foreign->rules[i];
		struct cni_diag *diag;

		if (!rule->notrack)
			continue;
		diag = rt_finding(
			d, CNI743, nowhere,
			"a rule in chain %s of table %s %s (handle %llu) keeps packets out of conntrack: they "
			"are steered one by one, and not by their flow",
			rule->chain, rule->family, rule->table, (unsigned long long)rule->handle);
		cni_diag_help(d->diags, diag, "nft delete rule %s %s %s handle %llu", rule->family, rule->table,
			      rule->chain, (unsigned long long)rule->handle);
	}
	return cni_printf(d->arena, "%zu nft rule%s of others", d->foreign->n_looked_at,
			  d->foreign->n_looked_at == 1 ? "" : "s");
}

/* ---- the table of flows ---- */

#define NEARLY 90 /* percent; see CNI744 */

const char *rt_look_conntrack(struct rt_doctor *d, enum rt_verdict *verdict)
{
	struct cni_diag *diag;
	long count, max;

	if (!rt_doctor_number(d, "/proc/sys/net/netfilter/nf_conntrack_max", &max) ||
	    !rt_doctor_number(d, "/proc/sys/net/netfilter/nf_conntrack_count", &count)) {
		*verdict = RT_UNKNOWN;
		return "conntrack is not loaded yet: its limits cannot be read";
	}
	if (max > 0 && count * 100 >= max * NEARLY) { /* 0: there is no limit */
		diag = rt_finding(d, count >= max ? CNI745 : CNI744, nowhere, "conntrack holds %ld flows of %ld", count,
				  max);
		cni_diag_help(d->diags, diag, "sysctl -w net.netfilter.nf_conntrack_max=%ld", 2 * max);
	}
	return cni_printf(d->arena, "%ld flows of %ld", count, max);
}

/* ---- probes ---- */

/* cnic keeps the far side's unasked replies out of conntrack: they are untracked, not invalid. */
static bool drops_probes(const struct rt_doctor *d, const struct rt_foreign_rule *rule)
{
	if (!(rule->drops & NF_CT_STATE_UNTRACKED_BIT))
		return false;
	for (size_t i = 0; i < d->foreign->n_chains; i++) {
		const struct rt_foreign_chain *chain = &d->foreign->chains[i];

		/* any chain of a table whose base chain sees them may be jumped to */
		if (chain->is_base && (chain->hook == NF_INET_PRE_ROUTING || chain->hook == NF_INET_LOCAL_IN) &&
		    !strcmp(chain->family, rule->family) && !strcmp(chain->table, rule->table))
			return true;
	}
	return false;
}

const char *rt_look_probes(struct rt_doctor *d, enum rt_verdict *verdict)
{
	const struct cni_target *probed = NULL;

	(void)verdict;
	for (size_t i = d->model->n_links; i < d->model->n_targets; i++)
		if (d->model->targets[i].health.type == CNI_HEALTH_REPLY)
			probed = &d->model->targets[i];
	for (size_t i = 0; probed && i < d->foreign->n_rules; i++) {
		const struct rt_foreign_rule *rule = &d->foreign->rules[i];
		struct cni_diag *diag;

		if (!drops_probes(d, rule))
			continue;
		diag = rt_finding(d, CNI746, probed->decl->name.span,
				  "a rule in chain %s of table %s %s (handle %llu) drops what is untracked, as the "
				  "probes of `%s` are",
				  rule->chain, rule->family, rule->table, (unsigned long long)rule->handle,
				  probed->name);
		cni_diag_help(
			d->diags, diag,
			"have `%s` probed by requests, or let them through and: nft delete rule %s %s %s handle %llu",
			probed->name, rule->family, rule->table, rule->chain, (unsigned long long)rule->handle);
	}
	return probed ? "rules of others that drop what conntrack does not know" : "no probe comes as a reply";
}
