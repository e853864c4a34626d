/* SPDX-License-Identifier: GPL-2.0-or-later */
/* marks.c - bits of the packet's and the flow's mark that others use, too. */
#include <errno.h>
#include <string.h>

#include "runtime/doctor/doctor.h"

#define WIDTH_MIN 8 /* of options.mark_mask (compiler/model.h) */

static const struct cni_span nowhere;

/* Who uses which bits, the narrower first: the registry of marks at github.com/fwmark/registry. */
static const struct {
	uint32_t bits;
	const char *who;
} known[] = {
	{ 0x00000080, "the CNI plugin of AWS" },
	{ 0x00002000, "the CNI plugin portmap" },
	{ 0x0000c000, "Kubernetes (kube-proxy and kubelet)" },
	{ 0x00000f00, "Cilium" },
	{ 0x00ff0000, "Tailscale" },
	{ 0xffff0000, "Calico" },
};

static const char *suspect(struct cni_arena *arena, uint32_t bits)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (bits && !(bits & ~known[i].bits))
			return cni_printf(arena, "; %s uses 0x%x", known[i].who, known[i].bits);
	return "";
}

/* Bits of the mark that others need for themselves. Who writes the whole mark leaves none to anybody. */
static uint32_t used_by_others(const struct rt_doctor *d)
{
	uint32_t used = 0;

	for (size_t i = 0; i < d->observed->n_rules; i++) {
		const struct cni_st_rule *rule = &d->observed->rules[i];

		if (!rule->owned)
			used |= rule->mask == UINT32_MAX ? rule->mark : rule->mask;
	}
	for (size_t i = 0; i < d->foreign->n_rules; i++) {
		const struct rt_foreign_rule *rule = &d->foreign->rules[i];

		used |= rule->mark_bits == UINT32_MAX ? 0 : rule->mark_bits;
		used |= rule->ct_bits == UINT32_MAX ? 0 : rule->ct_bits;
	}
	return used;
}

/* A mask that is clear of others, as wide as the present one where there is room, at a round place if it can be; 0:
 * there is none. */
static uint32_t free_mask(const struct rt_doctor *d)
{
	uint32_t used = used_by_others(d);

	for (int width = __builtin_popcount(d->mark_mask); width >= WIDTH_MIN; width--)
		for (int step = 8; step; step /= 8)
			for (int shift = 0; shift + width <= 32; shift += step) {
				uint32_t mask = (uint32_t)(((uint64_t)1 << width) - 1) << shift;

				if (!(mask & used))
					return mask;
			}
	return 0;
}

/* Ends in the command that removes what is in the way. */
static void help(struct rt_doctor *d, struct cni_diag *diag, uint32_t bits, const char *command)
{
	uint32_t mask = bits == UINT32_MAX ? 0 : free_mask(d);

	if (mask)
		cni_diag_help(d->diags, diag,
			      "in the policy: options { mark-mask 0x%08x; } or, where nobody needs it: %s", mask,
			      command);
	else
		cni_diag_help(d->diags, diag, "where nobody needs it: %s", command);
}

/* ---- ip rules ---- */

/* The first rule of ours that comes too late for packets of its own mark; NULL: none, or it cannot be said. */
static const struct cni_st_rule *overtaken(const struct rt_doctor *d, const struct cni_st_rule *rule)
{
	for (size_t i = 0; d->desired && i < d->desired->n_rules; i++) {
		const struct cni_st_rule *ours = &d->desired->rules[i];

		if (cni_rule_is_by_mark(ours) && ours->family == rule->family && rule->priority < ours->priority &&
		    !rule->other && (ours->mark & rule->mask) == rule->mark &&
		    rt_has_route(d, rule->family, rule->table, false))
			return ours;
	}
	return NULL;
}

const char *rt_look_mark_rules(struct rt_doctor *d, enum rt_verdict *verdict)
{
	size_t n = 0;

	(void)verdict;
	for (size_t i = 0; i < d->observed->n_rules; i++) {
		const struct cni_st_rule *rule = &d->observed->rules[i];
		uint32_t common = rule->mark & rule->mask & d->mark_mask;
		const char *words = rt_rule_words(d->arena, rule, rule->priority);
		const struct cni_st_rule *ours;
		struct cni_diag *diag;

		n += !rule->owned && rule->mask;
		if (rule->owned || !common)
			continue;
		ours = overtaken(d, rule);
		if (ours)
			diag = rt_finding(d, CNI734, ours->span,
					  "the ip rule `%s` takes packets that cnic marks 0x%x/0x%x", words, ours->mark,
					  ours->mask);
		else
			diag = rt_finding(
				d, CNI735, nowhere,
				"the ip rule `%s` looks at bits 0x%x of the mark, which are within cnic's 0x%08x%s",
				words, common, d->mark_mask, suspect(d->arena, rule->mark));
		help(d, diag, common,
		     cni_printf(d->arena, "ip%s rule del %s", rule->family == CNI_V6 ? " -6" : "", words));
	}
	return cni_printf(d->arena, "%zu ip rule%s of others with a mark, against the mask 0x%08x", n,
			  n == 1 ? "" : "s", d->mark_mask);
}

/* ---- nft rules ---- */

static void report_setter(struct rt_doctor *d, const struct rt_foreign_rule *rule, uint32_t bits, const char *whose)
{
	const char *what = bits == UINT32_MAX ? "the whole" : cni_printf(d->arena, "bits 0x%x of the", bits);
	struct cni_diag *diag = rt_finding(d, CNI736, nowhere,
					   "a rule in chain %s of table %s %s (handle %llu) writes %s %s, of which "
					   "cnic uses 0x%08x%s",
					   rule->chain, rule->family, rule->table, (unsigned long long)rule->handle,
					   what, whose, d->mark_mask, suspect(d->arena, bits));

	help(d, diag, bits,
	     cni_printf(d->arena, "nft delete rule %s %s %s handle %llu", rule->family, rule->table, rule->chain,
			(unsigned long long)rule->handle));
}

const char *rt_look_mark_setters(struct rt_doctor *d, enum rt_verdict *verdict)
{
	(void)verdict;
	for (size_t i = 0; i < d->foreign->n_rules; i++) {
		const struct rt_foreign_rule *rule = &d->foreign->rules[i];

		if (rule->mark_bits & d->mark_mask)
			report_setter(d, rule, rule->mark_bits, "packet's mark");
		if (rule->ct_bits & d->mark_mask)
			report_setter(d, rule, rule->ct_bits, "flow's mark");
	}
	return cni_printf(d->arena, "%zu nft rule%s of others, against the mask 0x%08x%s", d->foreign->n_looked_at,
			  d->foreign->n_looked_at == 1 ? "" : "s", d->mark_mask,
			  d->foreign->n_unread ? cni_printf(d->arena, "; %zu too new to be read", d->foreign->n_unread)
					       : "");
}

/* ---- iptables ---- */

const char *rt_look_iptables(struct rt_doctor *d, enum rt_verdict *verdict)
{
	static const struct {
		const char *path, *command;
	} files[] = { { "/proc/net/ip_tables_names", "iptables-legacy" },
		      { "/proc/net/ip6_tables_names", "ip6tables-legacy" } };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		const char *names = rt_doctor_read(d, files[i].path);
		struct cni_diag *diag;

		if (!names && errno == EACCES) {
			*verdict = RT_UNKNOWN;
			return cni_printf(d->arena, "%s may not be read", files[i].path);
		}
		if (!names || !*names)
			continue;
		for (char *at = strchr(names, '\n'); at; at = strchr(at, '\n'))
			*at = at[1] ? ' ' : '\0';
		diag = rt_finding(d, CNI733, nowhere,
				  "%s has the tables %s, whose rules cnic does not read: they may set marks",
				  files[i].command, names);
		cni_diag_help(d->diags, diag, "look for MARK, CONNMARK and NOTRACK in: %s-save", files[i].command);
	}
	return "tables of the old iptables, which nftables does not show";
}
