/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c - what a policy is made of as one number; see store.h. */
#include <string.h>

#include "compiler/arena.h"
#include "runtime/sha256.h"
#include "runtime/store/store.h"

/* Eight bytes, the highest first. */
static void add_number(struct sha256_ctx *hash, uint64_t n)
{
	uint8_t bytes[8];

	for (size_t i = sizeof(bytes); i--; n >>= 8)
		bytes[i] = (uint8_t)n;
	sha256_update(hash, sizeof(bytes), bytes);
}

static void add_bytes(struct sha256_ctx *hash, const char *data, size_t len)
{
	add_number(hash, len);
	sha256_update(hash, len, (const uint8_t *)data);
}

static void add_words(struct sha256_ctx *hash, const char *const *words, size_t n)
{
	add_number(hash, n);
	for (size_t i = 0; i < n; i++)
		add_bytes(hash, words[i], strlen(words[i]));
}

const char *rt_origin_digest(struct cni_arena *arena, const struct rt_origin *origin)
{
	static const struct rt_origin nothing;
	const struct rt_origin *o = origin ? origin : &nothing;
	char text[RT_SHA256_TEXT];
	struct sha256_ctx hash;

	sha256_init(&hash);
	add_words(&hash, o->tops, o->n_tops);
	add_number(&hash, o->n_paths);
	for (size_t i = 0; i < o->n_paths; i++) {
		add_bytes(&hash, o->paths[i].path, strlen(o->paths[i].path));
		add_number(&hash, o->paths[i].text);
	}
	add_number(&hash, o->n_texts);
	for (size_t i = 0; i < o->n_texts; i++)
		add_bytes(&hash, o->texts[i].data, o->texts[i].len);
	add_words(&hash, o->sets, o->n_sets);
	rt_sha256_end(&hash, text);
	return cni_strdup(arena, text);
}
