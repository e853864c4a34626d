/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fate.c - see fate.h. The key spells out all that tells two fates apart. */
#include "compiler/meaning/fate.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/text.h"

const char *const cni_trait_words[CNI_N_TRAITS] = {
	[CNI_TRAIT_DEVICE] = "device", [CNI_TRAIT_HOP] = "next hop",	[CNI_TRAIT_MTU] = "mtu",
	[CNI_TRAIT_MSS] = "mss",       [CNI_TRAIT_ADDRESS] = "address", [CNI_TRAIT_ENDS] = "tunnel",
	[CNI_TRAIT_OVER] = "over",
};

static const char *const verdict_words[] = { [CNI_VERDICT_NONE] = "main",
					     [CNI_VERDICT_MAIN] = "main",
					     [CNI_VERDICT_DROP] = "drop",
					     [CNI_VERDICT_REJECT] = "reject" };

/* ---- what a packet meets at a target ---- */

struct view {
	struct cni_arena *arena;
	const struct cni_model *model;
	const struct cni_target *target;
	const struct cni_path *path;
	const struct cni_member *member; /* of the path */
	enum cni_family family;
	const bool *down;
};

static const char *address_text(struct cni_arena *arena, struct cni_addr addr)
{
	return cni_addr_format(addr, cni_alloc(arena, CNI_ADDR_TEXT));
}

static const char *hop_text(struct cni_arena *arena, const struct cni_target *target, enum cni_family family)
{
	const struct cni_iface *iface = &target->iface[family];

	if (target->kind == CNI_TARGET_TUNNEL)
		return NULL;
	return iface->has_peer ? address_text(arena, iface->peer) : "as main has it";
}

static const char *device(const struct view *v)
{
	return v->target->ifname;
}

static const char *hop(const struct view *v)
{
	return hop_text(v->arena, v->target, v->family);
}

static const char *mtu(const struct view *v)
{
	return cni_printf(v->arena, "%u", v->target->mtu);
}

static const char *mss(const struct view *v)
{
	unsigned int bytes = v->target->mss[v->family];

	return bytes ? cni_printf(v->arena, "%u", bytes) : "not clamped";
}

static const char *address(const struct view *v)
{
	const struct cni_iface *iface = &v->target->iface[v->family];

	if (!v->member->masquerade)
		return NULL;
	return iface->has_address ? address_text(v->arena, iface->address.addr) : "as the device has it";
}

static const char *ends(const struct view *v)
{
	const struct cni_tunnel *t = &v->target->tunnel;
	struct cni_text text = { .arena = v->arena };

	if (v->target->kind != CNI_TARGET_TUNNEL)
		return NULL;
	cni_text_printf(&text, "%s %s to %s", t->kind == CNI_GRE ? "gre" : "ip6gre", address_text(v->arena, t->local),
			address_text(v->arena, t->remote));
	if (t->has_key)
		cni_text_printf(&text, " key %u", t->key);
	cni_text_printf(&text, "%s%s", t->csum ? " csum" : "", t->seq ? " seq" : "");
	if (t->ttl)
		cni_text_printf(&text, " ttl %u", t->ttl);
	else
		cni_text_puts(&text, " ttl inherit");
	if (t->tos_mode == CNI_TOS_INHERIT)
		cni_text_puts(&text, " tos inherit");
	else if (t->tos)
		cni_text_printf(&text, " tos %u", t->tos);
	cni_text_printf(&text, "%s%s", t->pmtudisc ? "" : " pmtudisc off", t->ignore_df ? " ignore-df" : "");
	if (t->kind == CNI_IP6GRE && t->encap_limit < 256)
		cni_text_printf(&text, " encap-limit %u", t->encap_limit);
	return text.data;
}

static const char cut_off[] = "nothing that is up";

/* A link is also gone where a packet comes to this member only because it is: it stands before it in an ordered path, and
 * would take the packet. */
static bool is_gone(const struct view *v, size_t link)
{
	if (v->down[link])
		return true;
	if (!v->model->targets[link].carries[v->family])
		return false;
	for (const struct cni_member *m = v->path->members; m < v->member && !v->path->weighted; m++)
		if (m->target == link)
			return true;
	return false;
}

static const char *over(const struct view *v)
{
	const struct cni_tunnel *t = &v->target->tunnel;
	struct cni_text text = { .arena = v->arena };

	if (v->target->kind != CNI_TARGET_TUNNEL)
		return NULL;
	for (size_t i = 0; i < t->n_over; i++) {
		const struct cni_target *link = &v->model->targets[t->over[i]];

		if (is_gone(v, t->over[i]) || !link->carries[t->local.family])
			continue;
		cni_text_printf(&text, "%s%s", text.len ? " then " : "", link->ifname);
		if (!t->underlay_bgp)
			cni_text_printf(&text, " by %s", hop_text(v->arena, link, t->local.family));
	}
	if (!text.len)
		return cut_off;
	cni_text_puts(&text, t->underlay_bgp ? " by BGP" : "");
	return text.data;
}

static const char *(*const traits[CNI_N_TRAITS])(const struct view *) = {
	[CNI_TRAIT_DEVICE] = device,   [CNI_TRAIT_HOP] = hop,	[CNI_TRAIT_MTU] = mtu,	 [CNI_TRAIT_MSS] = mss,
	[CNI_TRAIT_ADDRESS] = address, [CNI_TRAIT_ENDS] = ends, [CNI_TRAIT_OVER] = over,
};

/* ---- the key ---- */

static void key_member(struct cni_text *key, const struct cni_fate_member *m)
{
	cni_text_printf(key, "%u%s", m->weight, m->masquerade ? " masquerade" : "");
	for (size_t t = 0; t < CNI_N_TRAITS; t++)
		cni_text_printf(key, "|%s", m->traits[t] ? m->traits[t] : "");
}

static const char *key_of(struct cni_arena *arena, const struct cni_fate *fate, const char *words)
{
	struct cni_text key = { .arena = arena };

	cni_text_printf(&key, "%d %s %s", fate->weighted, verdict_words[fate->verdict], words);
	for (size_t i = 0; i < fate->n_members; i++) {
		cni_text_puts(&key, "\n");
		key_member(&key, &fate->members[i]);
	}
	return key.data;
}

static const char *text_of(struct cni_arena *arena, const struct cni_fate *fate, const char *words)
{
	struct cni_text text = { .arena = arena };

	for (size_t i = 0; i < fate->n_members; i++) {
		const struct cni_fate_member *m = &fate->members[i];

		cni_text_printf(&text, "%s%s", !i ? "" : fate->weighted ? ", " : " then ", m->name);
		if (fate->weighted)
			cni_text_printf(&text, " weight %u", m->weight);
		cni_text_printf(&text, "%s%s", m->masquerade ? " masquerade" : "", m->cut_off ? " (cut off)" : "");
	}
	cni_text_printf(&text, "%s%s%s", fate->n_members ? " else " : "", verdict_words[fate->verdict], words);
	return text.data;
}

/* ---- each once ---- */

static size_t slot_of(const struct cni_fates *fates, const char *key)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	size_t slot;

	for (const char *c = key; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(1099511628211);
	for (slot = hash % fates->n_slots; fates->slots[slot]; slot = (slot + 1) % fates->n_slots)
		if (!strcmp(fates->items[fates->slots[slot] - 1].key, key))
			break;
	return slot;
}

static void grow(struct cni_fates *fates)
{
	fates->n_slots = fates->n_slots ? 2 * fates->n_slots : 64;
	fates->slots = cni_new_array(fates->arena, size_t, fates->n_slots);
	for (size_t i = 0; i < fates->n_items; i++)
		fates->slots[slot_of(fates, fates->items[i].key)] = i + 1;
}

/* `words` stand behind a path, or a verdict. */
static unsigned int intern(struct cni_fates *fates, struct cni_fate fate, const char *words)
{
	size_t slot;

	if (2 * fates->n_items >= fates->n_slots)
		grow(fates);
	fate.key = key_of(fates->arena, &fate, words);
	slot = slot_of(fates, fate.key);
	if (!fates->slots[slot]) {
		fate.text = text_of(fates->arena, &fate, words);
		*cni_push(fates->arena, fates->items, fates->n_items) = fate;
		fates->slots[slot] = fates->n_items;
	}
	return (unsigned int)fates->slots[slot] - 1;
}

unsigned int cni_fate_verdict(struct cni_fates *fates, enum cni_verdict verdict)
{
	return intern(fates, (struct cni_fate){ .verdict = verdict }, "");
}

unsigned int cni_fate_main(struct cni_fates *fates)
{
	return cni_fate_verdict(fates, CNI_VERDICT_MAIN);
}

/* ---- paths ---- */

static unsigned int divisor(unsigned int a, unsigned int b)
{
	while (b) {
		unsigned int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static int by_device(const void *a, const void *b)
{
	const struct cni_fate_member *x = a, *y = b;

	return strcmp(x->traits[CNI_TRAIT_DEVICE], y->traits[CNI_TRAIT_DEVICE]);
}

/* Shares are what they are in any order, and in lowest terms. */
static void settle_shares(struct cni_fate *fate)
{
	unsigned int common = 0;

	for (size_t i = 0; i < fate->n_members; i++)
		common = divisor(fate->members[i].weight, common);
	for (size_t i = 0; i < fate->n_members; i++)
		fate->members[i].weight /= common;
	qsort(fate->members, fate->n_members, sizeof(*fate->members), by_device);
}

unsigned int cni_fate_route(struct cni_fates *fates, const struct cni_model *model, const struct cni_route *route,
			    enum cni_family family, const bool *down)
{
	struct cni_fate fate = { .verdict = route->path.verdict };
	const struct cni_path *path = &route->path;
	struct cni_text words = { .arena = fates->arena };
	char text[CNI_ADDR_TEXT];

	for (size_t i = 0; i < path->n_members; i++) {
		const struct cni_target *target = &model->targets[path->members[i].target];
		const struct view view = { fates->arena, model, target, path, &path->members[i], family, down };
		struct cni_fate_member *m;

		if (down[path->members[i].target] || !target->carries[family])
			continue;
		m = cni_push(fates->arena, fate.members, fate.n_members);
		m->name = target->name;
		m->weight = path->weighted ? path->members[i].weight : 1;
		m->masquerade = path->members[i].masquerade;
		for (size_t t = 0; t < CNI_N_TRAITS; t++)
			m->traits[t] = traits[t](&view);
		m->cut_off = m->traits[CNI_TRAIT_OVER] == cut_off;
	}
	if (path->verdict == CNI_VERDICT_NONE)
		fate.verdict = path->otherwise;
	fate.weighted = path->weighted && fate.n_members > 1;
	if (fate.n_members && path->weighted)
		settle_shares(&fate);
	cni_text_puts(&words, path->masquerade ? " masquerade" : "");
	if (route->has_source && route->source.family == family && (fate.n_members || fate.verdict == CNI_VERDICT_MAIN))
		cni_text_printf(&words, " source %s", cni_addr_format(route->source, text));
	return intern(fates, fate, words.data);
}
