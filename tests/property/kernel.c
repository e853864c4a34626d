/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.c - see kernel.h. A packet's number is its Ethernet source address, which nft chains behind cnic's own note
 * down together with mark and way out; the sets are then read with nft. */
#include "tests/property/kernel.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "compiler/arena.h"
#include "compiler/emit/emit.h"
#include "tests/property/trial.h"

enum { PACKETS = 300, ROUNDS = 3 /* new flows, the same again, the same with a target down */ };

static const char observer[] =
	"table inet observe {\n"
	"	set seen { type ether_addr . mark . mark; flags dynamic; size 65535; }\n"
	"	set left { type ether_addr . ifname; flags dynamic; size 65535; }\n"
	"	set translated { type ether_addr; flags dynamic; size 65535; }\n"
	"	chain prerouting { type filter hook prerouting priority -140; add @seen { ether saddr . mark . ct mark "
	"}; }\n"
	"	chain postrouting { type filter hook postrouting priority 110;\n"
	"		add @left { ether saddr . oifname }; ct status snat add @translated { ether saddr }; }\n"
	"}\n";

static const char settings[] = "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
			       " net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0"
			       " net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.router_solicitations=0"
			       " net.netfilter.nf_conntrack_checksum=0\n"
			       "ip link set lo up\n";

struct sent {
	struct packet packet;
	const char *device;
	struct flow flow; /* as the simulator has it */
	struct observed { /* by the kernel, one a round */
		bool seen, left, translated;
		uint32_t mark;
		char device[CNI_IFNAME];
	} observed[ROUNDS];
};

/* ---- the laboratory ---- */

static bool feed(const char *command, const char *text)
{
	FILE *pipe = popen(command, "w");

	if (!pipe)
		return false;
	fputs(text, pipe);
	if (!pclose(pipe))
		return true;
	printf("# %s failed\n", command);
	return false;
}

/* A veth "NAME" whose other end is "p.NAME". All have one hardware address, and none asks for others'. */
static void device(struct cni_text *out, const char *name)
{
	cni_text_printf(out,
			"ip link add '%s' address 02:ff:00:00:00:01 type veth peer name 'p.%s'\n"
			"ip link set '%s' arp off up; ip link set 'p.%s' arp off up\n",
			name, name, name, name);
}

static bool build(struct cni_arena *arena, const struct compiled *c)
{
	struct cni_text script = { .arena = arena }, nft = { .arena = arena };
	char text[CNI_ADDR_TEXT];

	cni_text_puts(&script, settings);
	for (size_t i = 0; i < c->model->n_targets; i++)
		device(&script, c->model->targets[i].ifname);
	for (size_t p = 0; p < c->model->n_policies; p++)
		for (size_t d = 0; d < c->model->policies[p].n_devices; d++)
			device(&script, c->model->policies[p].devices[d]);
	device(&script, "main0");
	for (size_t i = 0; i < c->state->n_addrs; i++)
		cni_text_printf(&script, "ip addr add %s dev '%s'%s\n",
				cni_prefix_format(c->state->addrs[i].address, text), c->state->addrs[i].device,
				c->state->addrs[i].address.addr.family == CNI_V6 ? " nodad" : "");
	cni_text_puts(&script, "ip route add default dev main0\nip -6 route add default dev main0\n");
	for (size_t i = 0; i < c->state->n_routes; i++) {
		cni_text_puts(&script, "ip ");
		cni_emit_route(&script, &c->state->routes[i]);
		cni_text_puts(&script, "\n");
	}
	for (size_t i = 0; i < c->state->n_rules; i++) {
		cni_text_puts(&script, "ip ");
		cni_emit_rule(&script, &c->state->rules[i]);
		cni_text_puts(&script, "\n");
	}
	cni_emit_nft(&nft, c->state);
	return feed("sh -e", script.data) && feed("nft -f -", nft.data) && feed("nft -f -", observer);
}

/* ---- packets ---- */

/* Ones that a kernel forwards: between ordinary addresses of others. */
static bool is_ordinary(const struct cni_model *model, const struct packet *packet)
{
	const struct cni_addr both[] = { packet->src, packet->dst };

	for (size_t i = 0; i < 2; i++) {
		const unsigned int top = (unsigned int)(both[i].v >> (cni_width(both[i].family) - 8));

		if (naive_is_ours(model, both[i]))
			return false;
		if (both[i].family == CNI_V4 ? !top || top == 127 || top >= 224 : top < 0x20 || top > 0x3f)
			return false;
	}
	/* conntrack takes these for broken, or looks into them for what is not there */
	return packet->proto != 132 && packet->proto != 33 && packet_starts_flow(packet) &&
	       !naive_never_steered(model, packet->src);
}

/* Packets of one flow would share its mark. */
static bool same_flow(const struct packet *a, const struct packet *b)
{
	const struct packet back = packet_reply(b);
	const struct packet *const either[] = { b, &back };

	for (size_t i = 0; i < 2; i++)
		if (a->proto == either[i]->proto && cni_addr_equal(a->src, either[i]->src) &&
		    cni_addr_equal(a->dst, either[i]->dst) &&
		    (!packet_has_ports(a->proto) || (a->sport == either[i]->sport && a->dport == either[i]->dport)))
			return true;
	return false;
}

static size_t frame_of(const struct packet *packet, unsigned int number, uint8_t frame[128])
{
	static const uint8_t to[6] = { 0x02, 0xff, 0, 0, 0, 1 };
	const uint8_t from[6] = { 0x02, 0, 0, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };
	struct machine_packet mp;
	uint32_t sum = 0;

	machine_packet_init(&mp, packet);
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	frame[12] = mp.family == CNI_V4 ? 0x08 : 0x86;
	frame[13] = mp.family == CNI_V4 ? 0x00 : 0xdd;
	if (mp.family == CNI_V4) {
		mp.bytes[3] = (uint8_t)mp.len;
		for (size_t i = 0; i < 20; i += 2)
			sum += (uint32_t)mp.bytes[i] << 8 | mp.bytes[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~(sum + (sum >> 16));
		mp.bytes[10] = (uint8_t)(sum >> 8);
		mp.bytes[11] = (uint8_t)sum;
	} else {
		mp.bytes[5] = (uint8_t)(mp.len - 40);
	}
	memcpy(frame + 14, mp.bytes, mp.len);
	return 14 + mp.len;
}

static bool send_all(struct sent *sent, size_t n, unsigned int round)
{
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	bool ok = fd >= 0;

	for (size_t i = 0; ok && i < n; i++) {
		struct sockaddr_ll to = { .sll_family = AF_PACKET };
		char peer[IFNAMSIZ];
		uint8_t frame[128];
		size_t len = frame_of(&sent[i].packet, (unsigned int)(round << 20 | i), frame);

		snprintf(peer, sizeof(peer), "p.%.12s", sent[i].device);
		to.sll_ifindex = (int)if_nametoindex(peer);
		ok = sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len;
	}
	if (!ok)
		perror("# AF_PACKET");
	if (fd >= 0)
		close(fd);
	usleep(50000); /* veth hands packets on in a softirq */
	return ok;
}

/* ---- what the kernel did ---- */

static struct observed *observed_of(struct sent *sent, size_t n, const char *ether)
{
	unsigned int a, b, c;

	if (sscanf(ether, "02:00:00:%x:%x:%x", &a, &b, &c) != 3)
		return NULL;
	a = a << 16 | b << 8 | c;
	return (a & 0xfffff) < n && a >> 20 < ROUNDS ? &sent[a & 0xfffff].observed[a >> 20] : NULL;
}

static void note(struct sent *sent, size_t n, const char *set, const char *ether)
{
	struct observed *o = observed_of(sent, n, ether);

	if (!o)
		return;
	if (!strcmp(set, "seen"))
		o->seen = sscanf(ether + 17, " . %x", &o->mark) == 1;
	else if (!strcmp(set, "left"))
		o->left = sscanf(ether + 17, " . \"%15[^\"]", o->device) == 1;
	else
		o->translated = true;
}

static bool read_sets(struct sent *sent, size_t n)
{
	static const char *const sets[] = { "seen", "left", "translated" };
	bool ok = true;

	for (size_t s = 0; s < 3; s++) {
		char command[64], *line = NULL;
		size_t room = 0;
		FILE *pipe;

		snprintf(command, sizeof(command), "nft list set inet observe %s", sets[s]);
		pipe = popen(command, "r");
		if (!pipe)
			return false;
		while (getline(&line, &room, pipe) > 0)
			for (const char *at = line; (at = strstr(at, "02:00:00:")); at += 9)
				note(sent, n, sets[s], at);
		free(line);
		ok &= pclose(pipe) == 0;
	}
	return ok;
}

/* ---- the comparison ---- */

static bool agrees(const struct trial *t, const struct sim_result *result, const struct observed *o, bool again)
{
	const bool leaves = result->kind == SIM_MAIN || result->kind == SIM_HOPS;
	struct sim_result leaving = *result;
	struct flow flow = { 0 };
	struct sim sim = t->sim;

	/* what nft drops is not seen behind it */
	if (o->seen != (result->kind != SIM_DROP || result->route) || (o->seen && o->mark != result->packet.mark))
		return false;
	if (result->kind == SIM_MAIN && naive_never_steered(t->model, t->packet.dst))
		return true; /* to neighbours, or dropped as a broadcast: not our business */
	if (o->left != leaves)
		return false;
	if (!leaves)
		return true;
	if (result->kind == SIM_MAIN && strcmp(o->device, "main0"))
		return false;
	for (size_t i = 0; result->kind == SIM_HOPS; i++) {
		if (i == result->route->n_hops)
			return false;
		if (!strcmp(o->device, result->route->hops[i].device) && sim_is_up(&t->sim, o->device))
			break;
	}
	if (again)
		return true; /* a translation is as old as its flow */
	leaving.packet.flow = &flow;
	sim_leave(&sim, &leaving, o->device);
	return leaving.packet.masquerade == o->translated;
}

/* The simulator's answer that is the kernel's, if there is one among those of all hashes. */
static bool compare_round(struct trial *t, struct sent *sent, unsigned int round)
{
	const struct observed *o = &sent->observed[round];
	uint32_t modulus = 1;
	struct sim_result result;
	char text[PACKET_TEXT], got[256];

	t->packet = sent->packet;
	for (uint32_t hash = 0; hash < modulus; hash++) {
		struct flow flow = sent->flow;

		t->sim.machine.hash = hash;
		t->sim.machine.modulus = 0;
		result = sim_route(&t->sim, &sent->packet, sent->device, &flow, false, 0);
		if (t->sim.machine.modulus)
			modulus = t->sim.machine.modulus;
		if (!agrees(t, &result, o, round > 0))
			continue;
		if (result.kind == SIM_MAIN || result.kind == SIM_HOPS) {
			sim_leave(&t->sim, &result, o->device);
			flow.status |= o->translated ? 0x10 /* IPS_SRC_NAT */ : 0;
			sent->flow = flow;
		}
		return true;
	}
	printf("# packet: %s on %s, round %u\n# simulator: %s\n# kernel: %s, mark 0x%08x, %s%s%s\n",
	       packet_format(&sent->packet, text), sent->device, round, sim_format(&t->sim, &result, got),
	       o->seen ? "seen" : "not seen", o->mark, o->left ? "left by " : "did not leave", o->device,
	       o->translated ? ", translated" : "");
	return false;
}

static size_t draw(struct trial *t, struct sent *sent)
{
	size_t n = 0;

	for (size_t p = 0; p < t->model->n_policies; p++) {
		const struct cni_policy *policy = &t->model->policies[p];
		const struct packets packets = packets_for(t->arena, &t->rng, t->model, policy, PACKETS);

		for (size_t i = 0; policy->n_devices && i < 4 * packets.n_items && n < PACKETS * (p + 1); i++) {
			/* any of them, not the first ones */
			const struct packet *packet = &packets.items[rng_below(&t->rng, (unsigned int)packets.n_items)];

			bool is_new = is_ordinary(t->model, packet);

			for (size_t j = 0; is_new && j < n; j++)
				is_new = !same_flow(packet, &sent[j].packet);
			if (is_new)
				sent[n++] = (struct sent){ .packet = *packet,
							   .device = policy->devices[i % policy->n_devices] };
		}
	}
	return n;
}

int kernel_compare(const struct compiled *compiled, uint64_t seed)
{
	struct cni_arena *arena = cni_arena_new();
	struct comparison comparison = { 0 };
	struct trial t = { .arena = arena,
			   .compiled = compiled,
			   .model = compiled->model,
			   .sim.machine.state = compiled->state,
			   .rng.state = seed,
			   .result = &comparison };
	struct sent *sent = cni_new_array(arena, struct sent, PACKETS * (t.model->n_policies + 1));
	const size_t n = draw(&t, sent);
	char command[64] = "true";
	bool ok = true;

	t.down = cni_new_array(arena, bool, t.model->n_targets + 1);
	t.down_names = cni_new_array(arena, const char *, t.model->n_targets + 1);
	t.sim.down = t.down_names;
	if (unshare(CLONE_NEWNET)) {
		perror("# a network namespace");
		return 1;
	}
	ok = build(arena, compiled) && send_all(sent, n, 0) && send_all(sent, n, 1);
	if (t.model->n_targets) {
		const size_t down = rng_below(&t.rng, (unsigned int)t.model->n_targets);

		snprintf(command, sizeof(command), "ip link set '%s' down", t.model->targets[down].ifname);
		t.down[down] = true;
	}
	ok = ok && !system(command) && send_all(sent, n, 2) && read_sets(sent, n);
	for (unsigned int round = 0; ok && round < ROUNDS; round++) {
		if (round == ROUNDS - 1)
			trial_set_down(&t);
		for (size_t i = 0; ok && i < n; i++)
			ok = compare_round(&t, &sent[i], round);
	}
	if (ok)
		printf("# the kernel agrees on %zu packets\n", n * ROUNDS);
	cni_arena_free(arena);
	return !ok;
}
