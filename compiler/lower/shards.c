/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shards.c - see shards.h. */
#include "compiler/lower/shards.h"

#include <linux/netfilter/nf_tables.h>

/* Members of a set before it is cut: a change costs its piece, and the index with a chain for each piece. Of very many
 * there are larger pieces rather than more, since the kernel finds a set by walking all of them. Measured with a million
 * prefixes (load, ten changes, reading all again, in seconds): 512 5.5 0.71 1.6, 1024 3.2 0.50 1.2, 2048 3.3 0.57 1.7,
 * 4096 4.1 0.66 1.2; with 100,000, ten changes in ten pieces send 4,795 elements with 512, and 8,328 with 1024. */
#define SHARD_MAX 512
#define PIECES_MAX 1024 /* about twice as many where pieces are half full */

size_t lower_shard_max(const struct lower *l, size_t n)
{
	size_t max = SHARD_MAX;

	while (n > max * PIECES_MAX)
		max *= 2;
	return l->prior->shard_max ? l->prior->shard_max : max;
}

/* ---- cutting ---- */

static cni_u128 low_of(const struct shards *s, size_t i)
{
	return s->family == CNI_V4 ? s->ranges->v4[i].lo : s->ranges->v6[i].lo;
}

static cni_u128 high_of(const struct shards *s, size_t i)
{
	return s->family == CNI_V4 ? s->ranges->v4[i].hi : s->ranges->v6[i].hi;
}

/* The first of the ranges [first, end) that reaches beyond `at`. */
static size_t reaching_beyond(const struct shards *s, size_t first, size_t end, cni_u128 at)
{
	while (first < end) {
		size_t mid = first + (end - first) / 2;

		if (high_of(s, mid) > at)
			end = mid;
		else
			first = mid + 1;
	}
	return first;
}

/* [first, end): the ranges that have a part in lo..hi. */
static void cut(struct lower *l, struct shards *s, size_t max, size_t first, size_t end, cni_u128 lo, cni_u128 hi)
{
	const cni_u128 half = lo + (hi - lo) / 2;
	struct shard *shard;
	size_t next;

	if (first == end)
		return;
	if (end - first > max) {
		next = reaching_beyond(s, first, end, half);
		cut(l, s, max, first, next < end && low_of(s, next) <= half ? next + 1 : next, lo, half);
		cut(l, s, max, next, end, half + 1, hi);
		return;
	}
	shard = cni_push(l->arena, s->items, s->n_items);
	shard->lo = (struct cni_addr){ s->family, lo };
	shard->hi = (struct cni_addr){ s->family, hi };
	shard->set = ranges_within(l, s->ranges, first, end - first, shard->lo, shard->hi);
}

static const struct shards *find(const struct lower *l, const struct cni_ranges *ranges, enum cni_family family)
{
	for (size_t i = 0; i < l->n_shards; i++)
		if (l->shards[i]->family == family && cni_ranges_equal(l->shards[i]->ranges, ranges))
			return l->shards[i];
	return NULL;
}

const struct shards *lower_shards(struct lower *l, const struct cni_ranges *ranges, enum cni_family family,
				  const char *label)
{
	const size_t n = cni_ranges_count(ranges, family);
	const struct shards *known = find(l, ranges, family);
	const size_t max = lower_shard_max(l, n);
	struct shards *s;

	if (known || n <= max)
		return known;
	s = cni_new(l->arena, struct shards);
	*s = (struct shards){ .ranges = ranges, .family = family, .label = label };
	cut(l, s, max, 0, n, 0, cni_host_mask(family, 0));
	*cni_push(l->arena, l->shards, l->n_shards) = s;
	return s;
}

/* ---- asking ---- */

static const char *shard_chain(struct lower *l, const struct shards *s, struct shard *shard, bool source, bool inside,
			       const char *then, struct cni_span span)
{
	const char *label = cni_printf(l->arena, "%s.shard", s->label);
	struct chain chain = { 0 };
	struct cni_st_rule_nft *r = chain_rule(l, &chain, span);

	if_family(l, r, s->family); /* nft tells by it what the bytes are */
	if_addr_in_set(l, r, source, true, s->family, set_install(l, &shard->set, label));
	do_verdict(l, r, inside ? NFT_GOTO : NFT_RETURN, inside ? then : NULL);
	if (!inside)
		do_verdict(l, chain_rule(l, &chain, span), NFT_GOTO, then);
	return chain_done(l, &chain, label);
}

static const char *index_of(struct lower *l, const struct shards *s, bool source, bool inside, const char *then,
			    struct cni_span span)
{
	struct set map = { .set = { .map = true, .interval = true } };

	set_key_field(&map, s->family == CNI_V4 ? CNI_KEY_IPV4 : CNI_KEY_IPV6);
	for (size_t i = 0; i < s->n_items; i++) {
		uint8_t key[32];

		cni_addr_to_bytes(s->items[i].hi, key + cni_addr_to_bytes(s->items[i].lo, key));
		set_add(l, &map, key, inside ? NFT_JUMP : NFT_GOTO,
			shard_chain(l, s, &s->items[i], source, inside, then, span));
	}
	return set_done(l, &map, cni_printf(l->arena, "%s.index", s->label));
}

void lower_by_shards(struct lower *l, struct cni_st_rule_nft *r, const struct shards *s, bool source, bool inside,
		     const char *then)
{
	const char *index = index_of(l, s, source, inside, then, r->span);
	struct chain outside = { 0 };
	struct cni_st_rule_nft *first;

	if (inside) {
		by_addr(l, r, source, s->family, index);
		return;
	}
	first = chain_rule(l, &outside, r->span);
	if_family(l, first, s->family);
	by_addr(l, first, source, s->family, index);
	do_verdict(l, chain_rule(l, &outside, r->span), NFT_GOTO, then);
	do_verdict(l, r, NFT_JUMP, chain_done(l, &outside, cni_printf(l->arena, "%s.outside", s->label)));
}
