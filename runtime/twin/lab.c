/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lab.c - see lab.h. */
#include "runtime/twin/lab.h"

#include <errno.h>
#include <string.h>

#include "compiler/diff/diff.h"
#include "runtime/commands/pipeline.h"
#include "runtime/netlink/encode.h"
#include "runtime/netlink/snapshot.h"
#include "runtime/transaction.h"
#include "runtime/twin/device.h"

#define MAIN_METRIC 100
#define OTHERS_METRIC 1000 /* of a link's own default route, that is there to be followed */

static const struct cni_span nowhere;

static bool cannot(struct rt_twin_lab *lab, const char *what, int error)
{
	cni_diag(lab->session->diags, CNI790, nowhere, "the kernel twin cannot be built: %s: %s", what,
		 strerror(-error));
	return false;
}

/* ---- hardware addresses ---- */

#define MAC 0x02, 'c', 'n' /* locally administered: IEEE 802, 8.4 */

const uint8_t rt_twin_port_mac[6] = { MAC, 0, 0, 1 };

void rt_twin_hop_mac(size_t hop, uint8_t mac[6])
{
	const uint8_t bytes[6] = { MAC, 1, (uint8_t)(hop >> 8), (uint8_t)hop };

	memcpy(mac, bytes, sizeof(bytes));
}

size_t rt_twin_hop_of(const struct rt_twin_lab *lab, const uint8_t mac[6])
{
	static const uint8_t first[4] = { MAC, 1 };
	const size_t hop = (size_t)mac[4] << 8 | mac[5];

	return !memcmp(mac, first, sizeof(first)) && hop < lab->n_hops ? hop : SIZE_MAX;
}

/* ---- ports ---- */

/* Names that the policy leaves free. */
static const char *fresh_name(struct rt_twin_lab *lab, const struct cni_state *state, const char *stem, size_t *number)
{
	const char *name;
	bool taken;

	do {
		name = cni_printf(lab->session->arena, "%s%zu", stem, (*number)++);
		taken = false;
		for (size_t i = 0; state && i < state->n_links; i++)
			taken |= !strcmp(state->links[i].name, name);
		for (size_t i = 0; i < lab->n_incoming; i++)
			taken |= !strcmp(lab->incoming[i], name);
	} while (taken);
	return name;
}

static bool is_port(const struct rt_twin_lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->n_ports; i++)
		if (!strcmp(lab->ports[i].name, name))
			return true;
	return false;
}

static bool exchange(struct rt_twin_lab *lab, struct rt_batch *batch, const char *what)
{
	struct rt_refusal refusal;
	int rc = batch->n ? rt_exchange(lab->nl, RT_ROUTE, batch, &refusal) : 0;

	rt_batch_free(batch);
	rt_forget_devices(lab->nl);
	return !rc || cannot(lab, what, rc);
}

struct adding {
	struct rt_twin_lab *lab;
	const struct cni_state *state; /* wanted; NULL: none */
	struct rt_batch batch;
	size_t number; /* of the next peer's name */
};

static void add_port(struct adding *a, const char *name, uint32_t mtu)
{
	struct rt_twin_lab *lab = a->lab;
	struct rt_twin_port *port;

	if (is_port(lab, name) || !strcmp(name, "lo"))
		return;
	port = cni_push(lab->session->arena, lab->ports, lab->n_ports);
	port->name = name;
	port->peer = fresh_name(lab, a->state, "twin", &a->number);
	rt_twin_add_pair(&a->batch, name, rt_twin_port_mac, mtu, port->peer);
}

/* Whether the kernel makes devices like this one. */
static bool is_known(struct rt_twin_lab *lab, const struct cni_st_link *link)
{
	rt_auto_batch struct rt_batch batch = { 0 };
	struct rt_writer writer = { .nl = lab->nl, .batch = &batch };
	struct rt_refusal refusal;
	bool known;

	rt_link_add(&writer, link);
	known = !rt_exchange(lab->nl, RT_ROUTE, &batch, &refusal);
	rt_batch_free(&batch);
	if (known) {
		rt_link_del(&writer, link);
		(void)rt_exchange(lab->nl, RT_ROUTE, &batch, &refusal);
	}
	rt_forget_devices(lab->nl);
	return known;
}

static bool is_incoming(const struct rt_twin_lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->n_incoming; i++)
		if (!strcmp(lab->incoming[i], name))
			return true;
	return false;
}

/* Whether something else than cnic is to configure it before cnic comes. */
static bool is_followed(const struct rt_twin_lab *lab, const char *name)
{
	for (size_t i = 0; i < lab->model->n_links; i++)
		if (lab->model->targets[i].link.dhcp && !strcmp(lab->model->targets[i].ifname, name))
			return true;
	return false;
}

/* What cnic would make, but this kernel cannot, or packets are to come in by, or has to be there before. */
static void add_stand_ins(struct adding *a)
{
	enum { UNASKED, KNOWN, UNKNOWN } kinds[RT_TWIN_DEVICE_TYPES] = { 0 };
	struct rt_twin_lab *lab = a->lab;

	for (size_t i = 0; a->state && i < a->state->n_links; i++) {
		const struct cni_st_link *link = &a->state->links[i];

		if (!link->owned)
			continue;
		if (kinds[link->type] == UNASKED)
			kinds[link->type] = is_known(lab, link) ? KNOWN : UNKNOWN;
		if (kinds[link->type] == KNOWN && !is_incoming(lab, link->name) && !is_followed(lab, link->name))
			continue;
		lab->stands_in[link->type] = true;
		add_port(a, link->name, link->mtu);
	}
}

static bool find_ports(struct rt_twin_lab *lab)
{
	for (size_t i = 0; i < lab->n_ports; i++) {
		lab->ports[i].ifindex = rt_ifindex(lab->nl, lab->ports[i].name);
		lab->ports[i].peer_ifindex = rt_ifindex(lab->nl, lab->ports[i].peer);
		if (!lab->ports[i].ifindex || !lab->ports[i].peer_ifindex)
			return cannot(lab, lab->ports[i].name, -ENODEV);
	}
	lab->main = &lab->ports[0];
	return true;
}

static bool add_ports(struct rt_twin_lab *lab, const struct cni_state *state)
{
	struct adding a = { .lab = lab, .state = state };
	size_t number = 0;

	rt_twin_set_up(&a.batch, "lo", true);
	add_port(&a, fresh_name(lab, state, "main", &number), 0);
	for (size_t i = 0; state && i < state->n_links; i++)
		if (!state->links[i].owned)
			add_port(&a, state->links[i].name, 0);
	if (!exchange(lab, &a.batch, "ports"))
		return false;
	add_stand_ins(&a);
	for (size_t i = 0; i < lab->n_incoming; i++)
		add_port(&a, lab->incoming[i], 0);
	return exchange(lab, &a.batch, "stand-ins") && find_ports(lab);
}

/* ---- what is there before cnic ---- */

/* Nothing filters, answers at a limited rate, waits or speaks by itself but what the policy says. A kernel that has no
 * such setting does nothing of the kind. */
static bool set_up(struct rt_twin_lab *lab)
{
	static const struct {
		const char *path;
		int value;
	} settings[] = {
		{ "ipv4/ip_forward", 1 },
		{ "ipv4/conf/all/rp_filter", 0 },
		{ "ipv4/conf/default/rp_filter", 0 },
		{ "ipv4/icmp_ratemask", 0 },
		{ "ipv6/conf/all/forwarding", 1 },
		{ "ipv6/conf/default/accept_dad", 0 },
		{ "ipv6/conf/default/addr_gen_mode", 1 },
		{ "ipv6/conf/default/router_solicitations", 0 },
		{ "ipv6/icmp/ratelimit", 0 },
	};
	struct rt_transport *transport = lab->nl->transport;

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		int rc = transport->write_setting(transport, settings[i].path, settings[i].value);

		if (rc && rc != -ENOENT)
			return cannot(lab, settings[i].path, rc);
	}
	return true;
}

/* Pairs of hosts in networks that no router has: 192.88.99.0/24 (RFC 7526), 100::/64 (RFC 6666). */
static struct cni_prefix spare(enum cni_family family, size_t pair)
{
	const cni_u128 network = family == CNI_V4 ? 0xc0586300 : (cni_u128)0x0100 << 112;

	return (struct cni_prefix){ { family, network + 2 * (pair % 128) }, (uint8_t)(cni_width(family) - 1) };
}

/* An ICMPv6 error takes its source from where the packet came in (Linux, icmp6_send()): without an address there it may
 * be a tunnel's, which is no address to answer from. */
static void address_incoming(struct rt_twin_lab *lab, struct rt_batch *batch)
{
	struct cni_prefix address = spare(CNI_V6, 0);

	address.len = 128;
	for (size_t i = 1; i < lab->n_ports; i++)
		if (is_incoming(lab, lab->ports[i].name))
			rt_twin_add_address(batch, lab->ports[i].ifindex, address);
}

/* Main's default route, and those of links that something else than cnic configures. */
static bool add_main(struct rt_twin_lab *lab)
{
	struct rt_batch batch = { 0 };

	address_incoming(lab, &batch);
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
		rt_twin_add_address(&batch, lab->main->ifindex, spare(f, 0));
		rt_twin_add_default(&batch, lab->main->ifindex, f, NULL, MAIN_METRIC);
		for (size_t i = 0; lab->model && i < lab->model->n_links; i++) {
			const struct cni_target *t = &lab->model->targets[i];
			const struct cni_prefix ours = spare(f, i + 1);
			const struct cni_addr gateway = { f, ours.addr.v + 1 };
			const unsigned int ifindex = rt_ifindex(lab->nl, t->ifname);

			if (!t->link.dhcp || !t->carries[f])
				continue;
			rt_twin_add_address(&batch, ifindex, ours);
			rt_twin_add_default(&batch, ifindex, f, &gateway, (uint32_t)(OTHERS_METRIC + i));
		}
	}
	return exchange(lab, &batch, "main's default route");
}

/* ---- the policy ---- */

/* Ports are none of cnic's devices: they need only be there. */
static void accept_ports(struct rt_twin_lab *lab, struct cni_state *state)
{
	for (size_t i = 0; i < state->n_links; i++) {
		struct cni_st_link *link = &state->links[i];

		if (link->owned && is_port(lab, link->name))
			*link = (struct cni_st_link){ .name = link->name, .span = link->span, .kind = "" };
	}
}

static bool apply(struct rt_twin_lab *lab)
{
	struct rt_session *s = lab->session;
	const struct cni_state *observed;
	const struct cni_plan *plan;
	struct cni_state *state, *seen;
	struct cni_prior prior;
	struct rt_result result;

	if (rt_snapshot(lab->nl, s->arena, &seen, s->diags))
		return false;
	prior = rt_pipeline_prior(seen, NULL);
	state = cni_lower(s->arena, lab->model, &prior, s->diags);
	if (s->diags->n_errors)
		return false;
	accept_ports(lab, state);
	lab->state = state;
	observed = rt_snapshot_for(lab->nl, s->arena, seen, state, s->diags);
	plan = observed ? cni_plan(s->arena, observed, state, s->diags) : NULL;
	return plan && !s->diags->n_errors && !rt_apply(lab->nl, s->arena, plan, s->diags, &result);
}

/* ---- next hops ---- */

static size_t hop_index(struct rt_twin_lab *lab, struct cni_addr addr)
{
	for (size_t i = 0; i < lab->n_hops; i++)
		if (cni_addr_equal(lab->hops[i], addr))
			return i;
	*cni_push(lab->session->arena, lab->hops, lab->n_hops) = addr;
	return lab->n_hops - 1;
}

static bool add_hops(struct rt_twin_lab *lab)
{
	struct rt_batch batch = { 0 };

	for (size_t i = 0; lab->model && i < lab->model->n_links; i++)
		for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++) {
			const struct cni_target *t = &lab->model->targets[i];
			uint8_t mac[6];

			if (!t->iface[f].has_peer)
				continue;
			rt_twin_hop_mac(hop_index(lab, t->iface[f].peer), mac);
			rt_twin_add_neighbour(&batch, rt_ifindex(lab->nl, t->ifname), t->iface[f].peer, mac);
		}
	return exchange(lab, &batch, "neighbours");
}

/* ---- all of it ---- */

bool rt_twin_build(struct rt_twin_lab *lab)
{
	return set_up(lab) && add_ports(lab, lab->wanted) && add_main(lab) && (!lab->model || apply(lab)) &&
	       add_hops(lab);
}

bool rt_twin_fail(struct rt_twin_lab *lab, const char *device)
{
	struct rt_batch batch = { 0 };

	rt_twin_set_up(&batch, device, false);
	return exchange(lab, &batch, device);
}
