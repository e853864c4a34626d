/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - from a step and an errno to a diagnostic; see report.h. */
#include "runtime/netlink/report.h"

#include <errno.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"

const char *rt_step_text(struct cni_arena *arena, const struct cni_step *step)
{
	struct cni_text text = { .arena = arena };

	cni_text_puts(&text, step->after ? "" : "removing: ");
	cni_emit_record(&text, step->object, step->after ? step->after : step->before, NULL);
	return text.data;
}

/* ---- what is missing in the kernel ---- */

struct part {
	const char *name; /* a device kind or an nft expression */
	const char *module, *option;
};

static const struct part parts[] = {
	{ "gre", "ip_gre", "CONFIG_NET_IPGRE" },
	{ "ip6gre", "ip6_gre", "CONFIG_IPV6_GRE" },
	{ "vlan", "8021q", "CONFIG_VLAN_8021Q" },
	{ "ct", "nft_ct", "CONFIG_NFT_CT" },
	{ "notrack", "nft_ct", "CONFIG_NFT_CT" },
	{ "fib", "nft_fib_inet", "CONFIG_NFT_FIB_INET" },
	{ "hash", "nft_hash", "CONFIG_NFT_HASH" },
	{ "masq", "nft_masq", "CONFIG_NFT_MASQ" },
	{ "nat", "nft_chain_nat", "CONFIG_NFT_NAT" },
	{ "reject", "nft_reject_inet", "CONFIG_NFT_REJECT_INET" },
	{ "table", "nf_tables", "CONFIG_NF_TABLES_INET" },
	{ "rule", "", "CONFIG_IP_MULTIPLE_TABLES (of IPv6: CONFIG_IPV6_MULTIPLE_TABLES)" },
};

static const struct part *find_part(const char *name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strcmp(parts[i].name, name))
			return &parts[i];
	return NULL;
}

/* NULL: it is no missing part that the kernel speaks of. */
static const struct part *missing_part(const struct cni_step *step, const struct rt_refusal *refusal)
{
	bool unsupported = refusal->error == -EOPNOTSUPP || refusal->error == -EAFNOSUPPORT;
	const struct cni_st_chain *chain = step->after;

	if (!step->after || (!unsupported && refusal->error != -ENOENT))
		return NULL;
	if (*refusal->part)
		return find_part(refusal->part);
	if (step->object == CNI_CHAIN && !refusal->is_rule && chain->type == CNI_HOOK_NAT)
		return find_part("nat");
	if (!unsupported)
		return NULL;
	if (step->object == CNI_LINK)
		return find_part(((const struct cni_st_link *)step->after)->kind);
	return step->object == CNI_TABLE_NFT ? find_part("table") : step->object == CNI_RULE ? find_part("rule") : NULL;
}

/* ---- the diagnostic ---- */

static struct cni_span place_of(const struct cni_step *step, const struct rt_refusal *refusal)
{
	const struct cni_st_chain *chain = step->after;

	if (refusal->is_rule && chain && refusal->rule < chain->n_rules &&
	    cni_span_is_set(chain->rules[refusal->rule].span))
		return chain->rules[refusal->rule].span;
	return step->span;
}

static void report_missing(struct cni_diags *diags, const struct part *part, struct cni_span span, const char *what)
{
	struct cni_diag *diag =
		cni_diag(diags, CNI701, span, "this kernel lacks `%s`, needed for: %s", part->name, what);

	cni_diag_help(diags, diag, "%s%s%s; Debian's linux-image-amd64 has it", part->option,
		      *part->module ? ", module " : "", part->module);
}

void rt_report(struct cni_diags *diags, enum cni_code code, const struct cni_step *step,
	       const struct rt_refusal *refusal)
{
	const char *what = rt_step_text(diags->arena, step);
	const struct part *part = missing_part(step, refusal);
	struct cni_span span = place_of(step, refusal);
	struct cni_diag *diag;

	if (refusal->error == -EPERM || refusal->error == -EACCES) {
		diag = cni_diag(diags, CNI700, span, "changing the network needs CAP_NET_ADMIN, which is missing");
		cni_diag_help(diags, diag, "run cnic as root");
		return;
	}
	if (part) {
		report_missing(diags, part, span, what);
		return;
	}
	if (refusal->error == -E2BIG) {
		cni_diag(diags, CNI712, span, "%s: a comment or a list of next hops is longer than the kernel takes",
			 what);
		return;
	}
	diag = cni_diag(diags, code, span, "%s: %s", what, strerror(-refusal->error));
	if (*refusal->text)
		cni_diag_label(diags, diag, "the kernel says: %s", refusal->text);
	if (refusal->error == -EMSGSIZE)
		cni_diag_help(diags, diag,
			      "one nft transaction is larger than a socket may send here: raise net.core.wmem_max, or "
			      "give cnic CAP_NET_ADMIN outside of user namespaces, too");
	else if (refusal->error == -EEXIST)
		cni_diag_help(diags, diag, "it was made by someone else meanwhile: try again");
	else if (refusal->message == SIZE_MAX)
		cni_diag_help(diags, diag, "the kernel's answer did not come");
}
