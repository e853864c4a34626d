/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices.c - devices that do not carry what the policy puts on them, and objects that stand in its way. */
#include "compiler/plan.h"
#include "runtime/doctor/doctor.h"

static void look_at_port(struct rt_doctor *d, const struct cni_target *tunnel, const char *device)
{
	const struct cni_st_link *link = rt_find_link(d->observed, device);
	unsigned int needed = tunnel->mtu + cni_tunnel_overhead(&tunnel->tunnel);
	struct cni_diag *diag;

	if (!link || link->owned || !link->mtu || link->mtu >= needed)
		return;
	diag = rt_finding(d, CNI753, tunnel->decl->name.span,
			  "tunnel `%s` has MTU %u and puts %u bytes around it, but `%s` takes only %u", tunnel->name,
			  tunnel->mtu, needed - tunnel->mtu, device, link->mtu);
	cni_diag_help(d->diags, diag, "ip link set dev %s mtu %u", device, needed);
}

const char *rt_look_mtu(struct rt_doctor *d, enum rt_verdict *verdict)
{
	const struct cni_model *m = d->model;

	(void)verdict;
	for (size_t i = m->n_links; i < m->n_targets; i++)
		for (size_t j = 0; j < m->targets[i].tunnel.n_over; j++) {
			const struct cni_target *link = &m->targets[m->targets[i].tunnel.over[j]];

			look_at_port(d, &m->targets[i], link->link.device);
			if (link->link.vlan)
				look_at_port(d, &m->targets[i], link->ifname);
		}
	return cni_printf(d->arena, "%zu tunnel%s and what carries them", m->n_targets - m->n_links,
			  m->n_targets - m->n_links == 1 ? "" : "s");
}

const char *rt_look_plan(struct rt_doctor *d, enum rt_verdict *verdict)
{
	const struct cni_plan *plan = cni_plan(d->arena, d->observed, d->desired, d->diags);

	(void)verdict;
	return cni_printf(d->arena, "objects of others in the way of the policy; %zu change%s to make", plan->n_steps,
			  plan->n_steps == 1 ? "" : "s");
}
