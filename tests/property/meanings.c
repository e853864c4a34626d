/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meanings.c - see meanings.h.
 *
 * What a packet meets is asked of the naive reading on many days: as the day is, with one and two more devices down, and
 * with all of them. So an order of preference, or what happens in the end, is seen without looking into a path. */
#include "tests/property/meanings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/arena.h"
#include "compiler/meaning/compare.h"
#include "compiler/text.h"
#include "tests/property/compare.h"
#include "tests/property/naive.h"
#include "tests/property/pairs.h"

enum { PAIRS = 200, FULL_PAIRS = 1000, PACKETS = 60, FIXED_SEED = 20251128, NODES = 2000000 };

enum law { LAW_WITNESS, LAW_SAID, LAW_OUTSIDE, LAW_INSIDE, N_LAWS };

static const char *const titles[N_LAWS] = {
	[LAW_WITNESS] = "every class has a witness that the two policies treat differently",
	[LAW_SAID] = "before and after are what is said",
	[LAW_OUTSIDE] = "packets outside of all classes are treated the same",
	[LAW_INSIDE] = "packets within a class are treated differently",
};

struct totals {
	size_t n_pairs, n_refused, n_same, n_classes, n_outside, n_inside;
	size_t n_failed[N_LAWS];
	uint64_t first_failed[N_LAWS];
	bool show;
};

struct pair {
	struct cni_arena *arena;
	struct compiled sides[2];
	const char **devices; /* of the targets of both */
	size_t n_devices;
	struct cni_comparison *comparison;
	const char **down; /* on the day that is asked about */
	size_t n_down;
	enum law broken;
	const char *how;
};

/* ---- what a packet meets, naively ---- */

/* A day's targets are named; of what goes down besides, the two policies need only have the device in common. */
static const bool *down_of(struct pair *p, const struct cni_model *model, const char *const *devices, size_t n)
{
	bool *down = cni_new_array(p->arena, bool, model->n_targets + 1);

	for (size_t t = 0; t < model->n_targets; t++) {
		for (size_t i = 0; i < p->n_down; i++)
			down[t] |= !strcmp(model->targets[t].name, p->down[i]);
		for (size_t i = 0; i < n; i++)
			down[t] |= !strcmp(model->targets[t].ifname, devices[i]);
	}
	return down;
}

static void add_address(struct cni_text *text, bool has, struct cni_addr addr)
{
	char buffer[CNI_ADDR_TEXT];

	cni_text_printf(text, " %s", has ? cni_addr_format(addr, buffer) : "-");
}

/* One target as a packet finds it. */
static const char *met(struct pair *p, const struct cni_model *model, const struct fate_share *share,
		       const struct packet *packet, const bool *down)
{
	const struct cni_target *t = &model->targets[share->target];
	const struct cni_iface *iface = &t->iface[packet->dst.family];
	struct packet syn = *packet;
	struct cni_text text = { .arena = p->arena };
	size_t outer;

	syn.mss = UINT16_MAX;
	cni_text_printf(&text, "%s mtu %u mss %u", t->ifname, t->mtu, naive_mss(model, CNI_NONE, share->target, &syn));
	if (share->masquerade)
		add_address(&text, iface->has_address, iface->address.addr);
	if (t->kind == CNI_TARGET_LINK) {
		add_address(&text, iface->has_peer, iface->peer);
		return text.data;
	}
	outer = naive_outer(model, share->target, down);
	cni_text_printf(&text, " tunnel %d ttl %u tos %d %u key %d %u %d %d %d %d %u", (int)t->tunnel.kind,
			t->tunnel.ttl, (int)t->tunnel.tos_mode, t->tunnel.tos_mode == CNI_TOS_FIXED ? t->tunnel.tos : 0,
			t->tunnel.has_key, t->tunnel.has_key ? t->tunnel.key : 0, t->tunnel.csum, t->tunnel.seq,
			t->tunnel.pmtudisc, t->tunnel.ignore_df,
			t->tunnel.kind == CNI_IP6GRE ? t->tunnel.encap_limit : 0);
	add_address(&text, true, t->tunnel.local);
	add_address(&text, true, t->tunnel.remote);
	if (outer == CNI_NONE)
		return text.data;
	/* who leads there tells nothing apart where nothing does */
	cni_text_printf(&text, " over %s bgp %d", model->targets[outer].ifname, t->tunnel.underlay_bgp);
	if (!t->tunnel.underlay_bgp)
		add_address(&text, model->targets[outer].iface[t->tunnel.local.family].has_peer,
			    model->targets[outer].iface[t->tunnel.local.family].peer);
	return text.data;
}

static int by_word(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of one day. */
static void add_fate(struct pair *p, struct cni_text *text, const struct cni_model *model, const char *device,
		     const struct packet *packet, const bool *down)
{
	const struct fate fate = naive_fate(model, device, packet, down);
	const struct cni_route *route = fate.route;
	const char *shares[MAX_SHARES];
	unsigned int sum = 0;

	cni_text_printf(text, "%d%s", (int)fate.kind, fate.masquerade ? "m" : "");
	if (route && route->has_source && route->source.family == packet->dst.family && fate.kind != FATE_DROP &&
	    fate.kind != FATE_REJECT)
		add_address(text, true, route->source);
	for (size_t i = 0; i < fate.n_shares; i++)
		sum += route->path.weighted ? fate.shares[i].weight : 1;
	for (size_t i = 0; i < fate.n_shares; i++)
		shares[i] = cni_printf(p->arena, " [%s%s %.9f]", met(p, model, &fate.shares[i], packet, down),
				       fate.shares[i].masquerade ? " m" : "",
				       (route->path.weighted ? fate.shares[i].weight : 1) / (double)sum);
	if (fate.n_shares)
		qsort(shares, fate.n_shares, sizeof(*shares), by_word);
	for (size_t i = 0; i < fate.n_shares; i++)
		cni_text_puts(text, shares[i]);
	cni_text_puts(text, ";");
}

/* On all days. */
static const char *naively(struct pair *p, const struct cni_model *model, const char *device,
			   const struct packet *packet)
{
	struct cni_text text = { .arena = p->arena };

	add_fate(p, &text, model, device, packet, down_of(p, model, NULL, 0));
	add_fate(p, &text, model, device, packet, down_of(p, model, p->devices, p->n_devices));
	for (size_t i = 0; i < p->n_devices; i++)
		for (size_t k = i; k < p->n_devices; k++) {
			const char *const two[] = { p->devices[i], p->devices[k] };

			add_fate(p, &text, model, device, packet, down_of(p, model, two, 2));
		}
	return text.data;
}

static bool differs(struct pair *p, const char *device, const struct packet *packet)
{
	return strcmp(naively(p, p->sides[0].model, device, packet), naively(p, p->sides[1].model, device, packet)) !=
	       0;
}

/* ---- the laws ---- */

static bool breaks(struct pair *p, enum law law, const char *device, const struct packet *packet, const char *format,
		   ...) __attribute__((format(printf, 5, 6)));

static bool breaks(struct pair *p, enum law law, const char *device, const struct packet *packet, const char *format,
		   ...)
{
	struct cni_text text = { .arena = p->arena };
	char buffer[PACKET_TEXT];
	va_list args;

	cni_text_printf(&text, "packet: %s on %s", packet_format(packet, buffer), device ? device : "local");
	for (size_t i = 0; i < p->n_down; i++)
		cni_text_printf(&text, ", %s down", p->down[i]);
	va_start(args, format);
	cni_text_printf(&text, "\n%s", cni_vprintf(p->arena, format, args));
	va_end(args);
	for (size_t i = 0; i < 2; i++)
		cni_text_printf(&text, "\nnaively %.400s", naively(p, p->sides[i].model, device, packet));
	p->broken = law;
	p->how = text.data;
	return false;
}

static struct cni_header header_of(const struct packet *p)
{
	return (struct cni_header){ p->src.family,
				    { p->src.v, p->dst.v, p->proto, p->sport, p->dport, p->dscp, p->icmp_type } };
}

static const char *device_of(const struct cni_device_group *group, size_t i)
{
	const char *device = group->devices[i % group->n_devices];

	return strcmp(device, "local") ? device : NULL;
}

/* Whether the naive fate of today is the one that is told. */
static bool is_as_said(const struct cni_model *model, const struct fate *fate, const struct cni_fate *said)
{
	static const enum fate_kind kinds[] = { [CNI_VERDICT_NONE] = FATE_MAIN,
						[CNI_VERDICT_MAIN] = FATE_MAIN,
						[CNI_VERDICT_DROP] = FATE_DROP,
						[CNI_VERDICT_REJECT] = FATE_REJECT };

	if (!said->n_members)
		return fate->kind == kinds[said->verdict];
	if (fate->kind != FATE_SHARES || fate->n_shares != (said->weighted ? said->n_members : 1))
		return false;
	for (size_t i = 0; i < fate->n_shares; i++) {
		bool found = false;

		for (size_t k = 0; k < fate->n_shares; k++)
			found |= !strcmp(model->targets[fate->shares[i].target].ifname,
					 said->members[k].traits[CNI_TRAIT_DEVICE]);
		if (!found)
			return false;
	}
	return true;
}

static bool check_class(struct pair *p, const struct cni_changes *changes, size_t at)
{
	const struct cni_change *change = &changes->items[at];
	const struct packet packet = packet_of_header(&change->witness);
	const struct cni_fate *fates = p->comparison->fates.items;
	const struct cni_fate *said[] = { &fates[change->before], &fates[change->after] };

	for (size_t d = 0; d < change->group->n_devices; d++) {
		const char *device = device_of(change->group, d);

		if (!differs(p, device, &packet))
			return breaks(p, LAW_WITNESS, device, &packet, "said: %s -> %s", said[0]->text, said[1]->text);
		for (size_t i = 0; i < 2; i++) {
			const struct cni_model *model = p->sides[i].model;
			const struct fate fate = naive_fate(model, device, &packet, down_of(p, model, NULL, 0));

			if (!is_as_said(model, &fate, said[i]))
				return breaks(p, LAW_SAID, device, &packet, "said: %s", said[i]->text);
		}
	}
	if (cni_changes_find(p->comparison, changes, change->group, &change->witness) != at)
		return breaks(p, LAW_WITNESS, device_of(change->group, 0), &packet, "is of another class");
	return true;
}

static bool check_packet(struct pair *p, struct totals *totals, const struct cni_changes *changes,
			 const struct cni_device_group *group, const struct packet *packet, size_t i)
{
	const struct cni_header header = header_of(packet);
	const size_t class = cni_changes_find(p->comparison, changes, group, &header);
	const char *device = device_of(group, i);
	const bool other = differs(p, device, packet);

	if (class == CNI_NONE && other)
		return breaks(p, LAW_OUTSIDE, device, packet, "said: the same");
	if (class != CNI_NONE && !other)
		return breaks(p, LAW_INSIDE, device, packet, "said: class %zu", class);
	totals->n_outside += class == CNI_NONE;
	totals->n_inside += class != CNI_NONE;
	return true;
}

static bool check_day(struct pair *p, struct totals *totals, struct rng *rng)
{
	const struct cni_changes changes = cni_comparison_on(p->comparison, p->down, p->n_down);
	bool holds = !changes.failed;

	totals->n_classes += changes.n_items;
	totals->n_same += !changes.n_items;
	for (size_t i = 0; i < changes.n_items && holds; i++)
		holds = check_class(p, &changes, i);
	for (size_t g = 0; g < p->comparison->n_groups && holds; g++) {
		const struct cni_device_group *group = &p->comparison->groups[g];

		for (size_t s = 0; s < 2 && holds; s++) {
			const struct cni_policy *policy = s ? group->after : group->before;
			struct packets packets = { 0 };

			if (policy)
				packets = packets_for(p->arena, rng, p->sides[s].model, policy, PACKETS);
			/* of many edges, some */
			for (size_t i = rng_below(rng, 4); i < packets.n_items && holds;
			     i += 1 + rng_below(rng, (unsigned int)(packets.n_items / PACKETS * 2 + 1)))
				holds = check_packet(p, totals, &changes, group, &packets.items[i], i);
		}
	}
	return holds;
}

/* ---- pairs ---- */

static void gather_devices(struct pair *p)
{
	for (size_t s = 0; s < 2; s++)
		for (size_t t = 0; t < p->sides[s].model->n_targets; t++) {
			const char *device = p->sides[s].model->targets[t].ifname;
			size_t i = 0;

			while (i < p->n_devices && strcmp(p->devices[i], device) != 0)
				i++;
			if (i == p->n_devices)
				*cni_push(p->arena, p->devices, p->n_devices) = device;
		}
}

/* Routes that stand beside each other change places: often nothing follows from it. */
static void reorder(struct policy_text *policy, struct rng *rng)
{
	for (size_t i = 1; i < policy->n_items; i++) {
		struct policy_line *a = &policy->items[i - 1], *b = &policy->items[i], line = *a;

		if (strncmp(a->text, "\troute r", 8) || strncmp(b->text, "\troute r", 8) || !rng_percent(rng, 30))
			continue;
		*a = *b;
		*b = line;
	}
}

static void print_comment(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("# %.*s\n", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_pair(const char *before, const char *after)
{
	print_comment(before);
	printf("# then\n");
	print_comment(after);
}

static void one_pair(struct totals *totals, uint64_t seed)
{
	struct pair p = { .arena = cni_arena_new() };
	struct rng rng = { .state = seed };
	struct policy_text first = random_policy(p.arena, &rng), second = second_policy(p.arena, &rng, &first);
	const char *texts[2];

	if (rng_percent(&rng, 50))
		reorder(&second, &rng);
	texts[0] = policy_text_join(p.arena, &first);
	texts[1] = policy_text_join(p.arena, &second);
	if (totals->show)
		print_pair(texts[0], texts[1]);
	for (size_t i = 0; i < 2; i++)
		p.sides[i] = compile_text(p.arena, texts[i], NULL);
	if (!p.sides[0].model || !p.sides[1].model) {
		totals->n_refused++;
		cni_arena_free(p.arena);
		return;
	}
	totals->n_pairs++;
	gather_devices(&p);
	p.comparison = cni_comparison_new(p.arena, p.sides[0].model, p.sides[1].model, NODES);
	/* as it is, and on a day when something is down */
	if (check_day(&p, totals, &rng)) {
		const struct cni_model *model = p.sides[rng_below(&rng, 2)].model;

		*cni_push(p.arena, p.down, p.n_down) =
			model->targets[rng_below(&rng, (unsigned int)model->n_targets)].name;
		check_day(&p, totals, &rng);
	}
	if (p.how && !totals->n_failed[p.broken]++) {
		totals->first_failed[p.broken] = seed;
		printf("# SEED=%llu: %s: not so for\n", (unsigned long long)seed, titles[p.broken]);
		print_pair(texts[0], texts[1]);
		print_comment(p.how);
	}
	cni_comparison_free(p.comparison);
	cni_arena_free(p.arena);
}

int meanings_main(const char *only, bool full, bool show)
{
	const size_t wanted = only ? 1 : full ? FULL_PAIRS : PAIRS;
	const uint64_t clock_seed = (uint64_t)time(NULL) << 20;
	struct totals totals = { .show = show };
	unsigned int n = 1;
	bool all;

	if (only) {
		one_pair(&totals, strtoull(only, NULL, 0));
	} else {
		printf("# seeds from %u and from %llu\n", FIXED_SEED, (unsigned long long)clock_seed);
		for (uint64_t i = 0; totals.n_pairs < wanted && totals.n_refused <= wanted; i++)
			one_pair(&totals, i % 2 ? clock_seed + i : FIXED_SEED + i);
	}
	printf("# %zu pairs, %zu refused; %zu classes, %zu days without any; %zu packets outside, %zu within\n",
	       totals.n_pairs, totals.n_refused, totals.n_classes, totals.n_same, totals.n_outside, totals.n_inside);
	all = totals.n_pairs >= wanted &&
	      (only || (totals.n_classes > wanted && totals.n_same && totals.n_outside >= 10000));
	printf("%sok %u - %zu random pairs of policies, with differences and without, and packets enough\n",
	       all ? "" : "not ", n, wanted);
	for (unsigned int l = 0; l < N_LAWS; l++) {
		if (totals.n_failed[l])
			printf("# %zu pairs fail, the first with SEED=%llu\n", totals.n_failed[l],
			       (unsigned long long)totals.first_failed[l]);
		printf("%sok %u - %s\n", totals.n_failed[l] ? "not " : "", ++n, titles[l]);
		all &= !totals.n_failed[l];
	}
	printf("1..%u\n", n);
	return all ? 0 : 1;
}
