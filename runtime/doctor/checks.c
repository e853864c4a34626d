/* SPDX-License-Identifier: GPL-2.0-or-later */
/* checks.c - the table of checks, and running them; see doctor.h. */
#include "runtime/doctor/doctor.h"

const struct rt_check rt_checks[] = {
	{ "networkd", 0, rt_look_networkd },
	{ "network-manager", RT_NEEDS_BOTH, rt_look_network_manager },
	{ "mark-rules", RT_NEEDS_KERNEL, rt_look_mark_rules },
	{ "mark-setters", RT_NEEDS_KERNEL, rt_look_mark_setters },
	{ "legacy-iptables", 0, rt_look_iptables },
	{ "rule-order", RT_NEEDS_BOTH, rt_look_rule_order },
	{ "tables", RT_NEEDS_BOTH, rt_look_tables },
	{ "main-default", RT_NEEDS_BOTH, rt_look_main },
	{ "rp-filter", RT_NEEDS_BOTH, rt_look_rp_filter },
	{ "forwarding", RT_NEEDS_BOTH, rt_look_forwarding },
	{ "mtu", RT_NEEDS_BOTH, rt_look_mtu },
	{ "flowtables", RT_NEEDS_KERNEL, rt_look_flowtables },
	{ "untracked", RT_NEEDS_KERNEL, rt_look_tracking },
	{ "conntrack", 0, rt_look_conntrack },
	{ "probes", RT_NEEDS_BOTH, rt_look_probes },
	{ "kernel", 0, rt_look_kernel },
	{ "plan", RT_NEEDS_BOTH, rt_look_plan },
};
const size_t rt_n_checks = sizeof(rt_checks) / sizeof(*rt_checks);

const char *rt_verdict_name(enum rt_verdict verdict)
{
	static const char *const names[RT_N_VERDICTS] = {
		[RT_FINE] = "ok", [RT_WARNED] = "warning", [RT_FAILED] = "error", [RT_UNKNOWN] = "unknown"
	};

	return names[verdict];
}

static struct rt_checkup examine(struct rt_doctor *doctor, const struct rt_check *check)
{
	size_t errors = doctor->diags->n_errors, warnings = doctor->diags->n_warnings;
	struct rt_checkup up = { .name = check->name, .verdict = RT_UNKNOWN };

	if (check->needs & RT_NEEDS_KERNEL && (!doctor->observed || !doctor->foreign))
		up.detail = doctor->blind;
	else if (check->needs & RT_NEEDS_POLICY && (!doctor->model || !doctor->desired))
		up.detail = doctor->no_policy;
	if (up.detail)
		return up;
	up.verdict = RT_FINE;
	up.detail = check->look(doctor, &up.verdict);
	if (doctor->diags->n_errors > errors)
		up.verdict = RT_FAILED;
	else if (doctor->diags->n_warnings > warnings)
		up.verdict = RT_WARNED;
	return up;
}

void rt_examine(struct rt_doctor *doctor, struct rt_checkup **checkups)
{
	*checkups = cni_new_array(doctor->arena, struct rt_checkup, rt_n_checks);
	for (size_t i = 0; i < rt_n_checks; i++)
		(*checkups)[i] = examine(doctor, &rt_checks[i]);
}
