/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.c - settings of devices and of the namespace that drop what is steered. */
#include <string.h>

#include "runtime/doctor/doctor.h"

static const struct cni_span nowhere;

/* ---- reverse-path checks ---- */

static const struct cni_st_setting *setting_of(const struct cni_state *state, const char *device)
{
	for (size_t i = 0; i < state->n_settings; i++)
		if (state->settings[i].key == CNI_SET_RP_FILTER && !strcmp(state->settings[i].device, device))
			return &state->settings[i];
	return NULL;
}

/* As it is once the policy is applied: what it sets, else what is there; a device to come begins with "default". */
static int value_of(const struct rt_doctor *d, const char *device)
{
	const struct cni_st_setting *wanted = setting_of(d->desired, device);
	const struct cni_st_setting *present = setting_of(d->observed, device);
	long value = 0;

	if (wanted || present)
		return wanted ? wanted->value : present->value;
	rt_doctor_number(d, "/proc/sys/net/ipv4/conf/default/rp_filter", &value);
	return (int)value;
}

/* Whom the kernel asks: the larger of the two counts (ip-sysctl, rp_filter). */
static int effective(const struct rt_doctor *d, const char *device)
{
	int all = value_of(d, "all"), own = value_of(d, device);

	return all > own ? all : own;
}

/* The command that turns them off, or makes them loose where that is enough. */
static const char *relax(struct rt_doctor *d, const char *device, int value)
{
	const char *name = rt_find_link(d->observed, device) ? device : "default";

	if (value)
		return cni_printf(d->arena, "sysctl -w net/ipv4/conf/%s/rp_filter=%d", name, value);
	return cni_printf(d->arena, "sysctl -w net/ipv4/conf/all/rp_filter=0 net/ipv4/conf/%s/rp_filter=0", name);
}

/* An uplink that main's default could go by; NULL: none. */
static const struct cni_target *uplink(const struct cni_model *model)
{
	for (size_t i = 0; i < model->n_links; i++)
		if (model->targets[i].link.kind == CNI_INTERNET && model->targets[i].iface[CNI_V4].has_peer)
			return &model->targets[i];
	return NULL;
}

static void report_strict(struct rt_doctor *d, const struct cni_target *t)
{
	bool has_default = rt_main_default(d->observed, CNI_V4, NULL);
	struct cni_diag *diag = rt_finding(
		d, CNI737, t->decl->name.span,
		"rp_filter is strict on `%s`: what comes in there by another way than main's is dropped", t->ifname);

	cni_diag_help(d->diags, diag, "%s", relax(d, t->ifname, has_default ? 2 : 0));
}

static void report_loose(struct rt_doctor *d, const struct cni_target *t)
{
	const struct cni_target *up = uplink(d->model);
	char text[CNI_ADDR_TEXT];
	struct cni_diag *diag = rt_finding(
		d, CNI738, t->decl->name.span,
		"rp_filter is loose on `%s`, and main has no default route: what comes in there from networks "
		"that main does not know is dropped",
		t->ifname);

	if (up)
		cni_diag_help(d->diags, diag, "ip route add default via %s dev %s",
			      cni_addr_format(up->iface[CNI_V4].peer, text), up->ifname);
	else if (setting_of(d->desired, t->ifname))
		cni_diag_help(d->diags, diag, "in the policy: options { rp-filter off; }");
	else
		cni_diag_help(d->diags, diag, "%s", relax(d, t->ifname, 0));
}

const char *rt_look_rp_filter(struct rt_doctor *d, enum rt_verdict *verdict)
{
	const struct cni_model *m = d->model;
	size_t n = 0;

	(void)verdict;
	for (size_t i = 0; i < m->n_targets; i++) {
		const struct cni_target *t = &m->targets[i];
		int value;

		if (!t->carries[CNI_V4])
			continue;
		n++;
		value = effective(d, t->ifname);
		if (value == 1 && !rt_main_default(d->observed, CNI_V4, t->ifname))
			report_strict(d, t);
		else if (value == 2 && !rt_main_default(d->observed, CNI_V4, NULL))
			report_loose(d, t);
	}
	return cni_printf(d->arena, "rp_filter on %zu device%s as it is once the policy is applied", n,
			  n == 1 ? "" : "s");
}

/* ---- forwarding ---- */

static bool forwards(const struct cni_model *model)
{
	for (size_t p = 0; p < model->n_policies; p++)
		if (model->policies[p].n_devices)
			return true;
	return false;
}

static bool steers(const struct cni_state *desired, enum cni_family family)
{
	for (size_t i = 0; i < desired->n_routes; i++)
		if (desired->routes[i].family == family && desired->routes[i].type == CNI_RT_UNICAST)
			return true;
	return false;
}

struct forwarding {
	struct rt_doctor *doctor;
	const char *said; /* devices that were looked at, each between spaces */
};

/* IPv4 asks the device that a packet comes in by; IPv6 only asks "all". */
static void look_at_device(const char *device, void *arg)
{
	struct forwarding *f = arg;
	struct rt_doctor *d = f->doctor;
	const char *name = rt_find_link(d->observed, device) ? device : "default";
	struct cni_diag *diag;
	long value;

	if (!strcmp(device, "lo") || strstr(f->said, cni_printf(d->arena, " %s ", name)))
		return;
	f->said = cni_printf(d->arena, "%s%s ", f->said, name);
	if (!rt_doctor_number(d, cni_printf(d->arena, "/proc/sys/net/ipv4/conf/%s/forwarding", name), &value) || value)
		return;
	diag = rt_finding(d, CNI739, nowhere,
			  "net.ipv4.conf.%s.forwarding is 0: nothing that comes in by `%s` is forwarded", name, device);
	cni_diag_help(d->diags, diag, "sysctl -w net/ipv4/conf/%s/forwarding=1", name);
}

const char *rt_look_forwarding(struct rt_doctor *d, enum rt_verdict *verdict)
{
	static const char *const switches[CNI_N_FAMILIES] = { "net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding" };
	struct forwarding f = { d, " " };

	(void)verdict;
	if (!forwards(d->model))
		return "the policy forwards nothing";
	for (enum cni_family family = 0; family < CNI_N_FAMILIES; family++) {
		struct cni_diag *diag;

		if (!steers(d->desired, family))
			continue;
		if (d->observed->has_forwarding[family]) {
			if (family == CNI_V4)
				rt_policy_devices(d->model, look_at_device, &f);
			continue;
		}
		diag = rt_finding(d, CNI739, nowhere, "%s is 0: nothing is forwarded over IPv%c", switches[family],
				  family == CNI_V4 ? '4' : '6');
		cni_diag_help(d->diags, diag, "sysctl -w %s=1", switches[family]);
	}
	return "forwarding of each family that the policy steers";
}
