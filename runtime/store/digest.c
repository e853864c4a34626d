/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c - what a policy is made of as one number; see store.h. */
#include <sha2.h>
#include <string.h>

#include "compiler/arena.h"
#include "runtime/store/store.h"

/* Eight bytes, the highest first. */
static void add_number(SHA2_CTX *hash, uint64_t n)
{
	uint8_t bytes[8];

	for (size_t i = sizeof(bytes); i--; n >>= 8)
		bytes[i] = (uint8_t)n;
	SHA256Update(hash, bytes, sizeof(bytes));
}

static void add_bytes(SHA2_CTX *hash, const char *data, size_t len)
{
	add_number(hash, len);
	SHA256Update(hash, (const uint8_t *)data, len);
}

static void add_words(SHA2_CTX *hash, const char *const *words, size_t n)
{
	add_number(hash, n);
	for (size_t i = 0; i < n; i++)
		add_bytes(hash, words[i], strlen(words[i]));
}

const char *rt_origin_digest(struct cni_arena *arena, const struct rt_origin *origin)
{
	static const struct rt_origin nothing;
	const struct rt_origin *o = origin ? origin : &nothing;
	char text[SHA256_DIGEST_STRING_LENGTH];
	SHA2_CTX hash;

	SHA256Init(&hash);
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
	SHA256End(&hash, text);
	return cni_strdup(arena, text);
}
