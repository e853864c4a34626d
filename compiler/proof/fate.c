/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fate.c - the words for what becomes of a packet; see fate.h. */
#include "compiler/proof/fate.h"

#include <stdlib.h>
#include <string.h>

/* ---- numbers for texts ---- */

static size_t slot_of(const struct texts *texts, const char *text)
{
	size_t slot;

	for (slot = cni_text_hash(text) % texts->n_slots; texts->slots[slot]; slot = (slot + 1) % texts->n_slots)
		if (!strcmp(texts->items[texts->slots[slot] - 1], text))
			break;
	return slot;
}

unsigned int texts_number(struct texts *texts, const char *text)
{
	size_t slot;

	if (2 * texts->n_items >= texts->n_slots) {
		texts->n_slots = texts->n_slots ? 2 * texts->n_slots : 256;
		texts->slots = cni_new_array(texts->arena, unsigned int, texts->n_slots);
		for (size_t i = 0; i < texts->n_items; i++)
			texts->slots[slot_of(texts, texts->items[i])] = (unsigned int)i + 1;
	}
	slot = slot_of(texts, text);
	if (!texts->slots[slot]) {
		*cni_push(texts->arena, texts->items, texts->n_items) = text;
		texts->slots[slot] = (unsigned int)texts->n_items;
	}
	return texts->slots[slot] - 1;
}

static unsigned int concat(unsigned int x, unsigned int y, void *arg)
{
	struct texts *texts = arg;

	return texts_number(texts, cni_printf(texts->arena, "%s%s", texts->items[x], texts->items[y]));
}

struct cni_map texts_concat(struct texts *texts, struct cni_spaces *spaces, struct cni_map a, struct cni_map b)
{
	return cni_map_join(spaces, a, b, concat, texts);
}

/* ---- words ---- */

const char *leaving_text(struct cni_arena *arena, const struct leaving *leaving)
{
	struct cni_text text = { .arena = arena };
	char address[CNI_ADDR_TEXT];

	cni_text_puts(&text, "");
	if (leaving->has_source)
		cni_text_printf(&text, " source %s", cni_addr_format(leaving->source, address));
	else if (leaving->masquerade)
		cni_text_puts(&text, " masquerade");
	if (leaving->mss)
		cni_text_printf(&text, " mss %u", leaving->mss);
	return text.data;
}

const char *hop_text(struct cni_arena *arena, const char *device, const struct cni_addr *via, unsigned int weight)
{
	struct cni_text text = { .arena = arena };
	char address[CNI_ADDR_TEXT];

	cni_text_puts(&text, device);
	if (via)
		cni_text_printf(&text, " via %s", cni_addr_format(*via, address));
	if (weight)
		cni_text_printf(&text, " weight %u", weight);
	return text.data;
}

bool hop_needs_via(const struct cni_model *model, const char *device)
{
	for (size_t i = 0; i < model->n_targets; i++)
		if (!strcmp(model->targets[i].ifname, device))
			return model->targets[i].kind == CNI_TARGET_LINK && !model->targets[i].link.dhcp;
	return true;
}

unsigned int greatest_divisor(unsigned int a, unsigned int b)
{
	while (b) {
		const unsigned int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* ---- shares ---- */

struct share {
	unsigned int weight;
	const char *text;
};

static int by_share(const void *a, const void *b)
{
	return strcmp(((const struct share *)a)->text, ((const struct share *)b)->text);
}

static struct share *read_shares(struct cni_arena *arena, const char *parts, size_t *n)
{
	struct share *shares = NULL;

	for (*n = 0; *parts; parts += strcspn(parts, "\n") + 1) {
		struct share *share = cni_push(arena, shares, *n);
		char *rest;

		share->weight = (unsigned int)strtoul(parts, &rest, 10);
		share->text = cni_strndup(arena, rest + 1, strcspn(rest + 1, "\n"));
	}
	return shares;
}

const char *shares_text(struct cni_arena *arena, const char *parts)
{
	struct cni_text text = { .arena = arena };
	unsigned int divisor = 0;
	size_t n, m = 0;
	struct share *shares = read_shares(arena, parts, &n);

	if (!n)
		return "";
	qsort(shares, n, sizeof(*shares), by_share);
	for (size_t i = 1; i < n; i++)
		if (!by_share(&shares[i], &shares[m]))
			shares[m].weight += shares[i].weight;
		else
			shares[++m] = shares[i];
	if (!m)
		return shares->text;
	for (size_t i = 0; i <= m; i++)
		divisor = greatest_divisor(shares[i].weight, divisor);
	for (size_t i = 0; i <= m; i++)
		cni_text_printf(&text, "%s%u: %s", i ? " | " : "", shares[i].weight / divisor, shares[i].text);
	return text.data;
}
