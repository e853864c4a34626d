/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ip_test.c - addresses as text and bytes, prefixes, and the algebra of range sets. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "compiler/arena.h"
#include "compiler/ip.h"

static struct cni_addr addr(const char *text)
{
	struct cni_addr a;

	assert_true(cni_addr_parse(text, strlen(text), &a));
	return a;
}

static struct cni_prefix prefix(const char *text, uint8_t len)
{
	return (struct cni_prefix){ addr(text), len };
}

static void parses(void **state)
{
	static const char *const good[][2] = {
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "192.0.2.11", "192.0.2.11" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "1::", "1::" },
		{ "2001:DB8::1", "2001:db8::1" },
		{ "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201" },
		{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};
	static const char *const bad[] = {
		"",
		"1",
		"1.2.3",
		"1.2.3.4.",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.4 ",
		"1..2.3",
		"1.2.3.-4",
		":",
		":::",
		":1",
		"1:",
		"1::2::3",
		"1:2:3:4",
		"12345::",
		"g::",
		"1.2.3.4::",
		"::1.2.3",
		"::1.2.3.4:5",
		"fe80::1%1",
		"1:::2",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::",
		"::1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:1.2.3.4",
	};
	struct cni_addr a;
	char text[CNI_ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_string_equal(cni_addr_format(addr(good[i][0]), text), good[i][1]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (cni_addr_parse(bad[i], strlen(bad[i]), &a))
			fail_msg("accepted: %s", bad[i]);
	assert_true(cni_addr_parse("10.0.0.12/24", 9, &a)); /* only text[0..len) */
	assert_string_equal(cni_addr_format(a, text), "10.0.0.12");
}

/* Against inet_pton: mutated texts, and every text that cni_addr_format() writes. */
static void agrees_with_libc(void **state)
{
	static const char alphabet[] = "0123456789abf:.::";
	unsigned int seed = 1;
	char text[CNI_ADDR_TEXT], noise[24];
	uint8_t want[16], got[16];

	(void)state;
	for (unsigned int i = 0; i < 200000; i++) {
		size_t len = (size_t)(rand_r(&seed) % 22);
		struct cni_addr a;
		bool is4, is6;

		for (size_t j = 0; j < len; j++)
			noise[j] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		noise[len] = 0;
		is4 = inet_pton(AF_INET, noise, want) == 1;
		is6 = !is4 && inet_pton(AF_INET6, noise, want) == 1;
		if (cni_addr_parse(noise, len, &a) != (is4 || is6))
			fail_msg("disagrees on: %s", noise);
		if (!is4 && !is6)
			continue;
		assert_int_equal(a.family, is4 ? CNI_V4 : CNI_V6);
		assert_int_equal(cni_addr_to_bytes(a, got), is4 ? 4 : 16);
		assert_memory_equal(got, want, is4 ? 4 : 16);
	}
	for (unsigned int i = 0; i < 50000; i++) {
		struct cni_addr a;

		for (size_t j = 0; j < 16; j++)
			want[j] = (uint8_t)(rand_r(&seed) % 3 ? 0 : rand_r(&seed));
		a = cni_addr_from_bytes(CNI_V6, want);
		cni_addr_format(a, text);
		assert_int_equal(inet_pton(AF_INET6, text, got), 1);
		assert_memory_equal(got, want, 16);
		assert_true(cni_addr_equal(addr(text), a));
	}
}

static void prefixes(void **state)
{
	struct cni_addr peer;
	char text[CNI_ADDR_TEXT];

	(void)state;
	assert_string_equal(cni_prefix_format(prefix("2001:db8::1", 127), text), "2001:db8::1/127");
	assert_string_equal(cni_addr_format(cni_prefix_first(prefix("10.1.2.3", 16)), text), "10.1.0.0");
	assert_string_equal(cni_addr_format(cni_prefix_last(prefix("10.1.2.3", 16)), text), "10.1.255.255");
	assert_string_equal(cni_addr_format(cni_prefix_last(prefix("::", 0)), text),
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_true(cni_prefix_has(prefix("0.0.0.0", 0), addr("255.0.0.1")));
	assert_false(cni_prefix_has(prefix("0.0.0.0", 0), addr("::1")));
	assert_false(cni_prefix_has(prefix("10.0.0.0", 31), addr("10.0.0.2")));
	assert_true(cni_prefix_has(prefix("::1", 128), addr("::1")));
	assert_false(cni_prefix_equal(prefix("10.0.0.0", 31), prefix("10.0.0.0", 30)));

	assert_true(cni_prefix_peer(prefix("192.0.2.11", 31), &peer));
	assert_true(cni_addr_equal(peer, addr("192.0.2.10")));
	assert_true(cni_prefix_peer(prefix("198.51.100.2", 30), &peer));
	assert_true(cni_addr_equal(peer, addr("198.51.100.1")));
	assert_false(cni_prefix_peer(prefix("198.51.100.0", 30), &peer));
	assert_false(cni_prefix_peer(prefix("198.51.100.3", 30), &peer));
	assert_false(cni_prefix_peer(prefix("198.51.100.2", 29), &peer));
	assert_true(cni_prefix_peer(prefix("2001:db8::", 127), &peer));
	assert_true(cni_addr_equal(peer, addr("2001:db8::1")));
	assert_false(cni_prefix_peer(prefix("2001:db8::1", 126), &peer));
	assert_false(cni_prefix_peer(prefix("2001:db8::1", 128), &peer));
}

static void merges(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_ranges a = { 0 }, b = { 0 };

	(void)state;
	cni_ranges_add(arena, &a, addr("255.255.255.0"), addr("255.255.255.255"));
	cni_ranges_add(arena, &a, addr("10.0.1.0"), addr("10.0.1.255"));
	cni_ranges_add(arena, &a, addr("10.0.0.0"), addr("10.0.0.255"));
	cni_ranges_add(arena, &a, addr("10.0.0.7"), addr("10.0.0.9"));
	cni_ranges_add(arena, &a, addr("255.255.255.255"), addr("255.255.255.255"));
	cni_ranges_add_prefix(arena, &a, prefix("2001:db8::1", 32));
	cni_ranges_add_prefix(arena, &a, prefix("::", 0));
	cni_ranges_normalise(&a);
	assert_int_equal(a.n_v4, 2);
	assert_int_equal(a.v4[0].lo, 0x0a000000);
	assert_int_equal(a.v4[0].hi, 0x0a0001ff);
	assert_int_equal(a.v4[1].hi, 0xffffffff);
	assert_int_equal(a.n_v6, 1);
	assert_true(a.v6[0].lo == 0 && a.v6[0].hi == ~(cni_u128)0);

	cni_ranges_add_all(arena, &b, &a);
	cni_ranges_add_all(arena, &b, &a);
	cni_ranges_add(arena, &b, addr("9.0.0.0"), addr("9.0.0.0"));
	assert_int_equal(b.n_v4, 5);
	cni_ranges_normalise(&b);
	assert_int_equal(b.n_v4, 3);
	assert_true(cni_ranges_covers(&b, &a));
	assert_false(cni_ranges_covers(&a, &b));
	assert_false(cni_ranges_equal(&a, &b));
	cni_arena_free(arena);
}

/* The algebra against bits, one an address: 0.0.0.0 - 0.0.0.63 and the top 64 of IPv6. */
#define BITS 64

static struct cni_addr bit_addr(enum cni_family family, unsigned int bit)
{
	return (struct cni_addr){ family, family == CNI_V4 ? bit : ~(cni_u128)0 - (BITS - 1) + bit };
}

static struct cni_ranges random_set(struct cni_arena *arena, unsigned int *seed, uint64_t bits[CNI_N_FAMILIES])
{
	struct cni_ranges r = { 0 };

	for (int family = 0; family < CNI_N_FAMILIES; family++) {
		bits[family] = 0;
		for (int n = rand_r(seed) % 6; n > 0; n--) {
			unsigned int lo = (unsigned int)rand_r(seed) % BITS;
			unsigned int hi = lo + (unsigned int)rand_r(seed) % (BITS - lo);

			hi = rand_r(seed) % 2 ? hi : lo;
			cni_ranges_add(arena, &r, bit_addr(family, lo), bit_addr(family, hi));
			for (unsigned int i = lo; i <= hi; i++)
				bits[family] |= (uint64_t)1 << i;
		}
	}
	cni_ranges_normalise(&r);
	return r;
}

static void is_exactly(const struct cni_ranges *r, const uint64_t bits[CNI_N_FAMILIES])
{
	for (int family = 0; family < CNI_N_FAMILIES; family++)
		for (unsigned int i = 0; i < BITS; i++)
			assert_int_equal(cni_ranges_has(r, bit_addr(family, i)), bits[family] >> i & 1);
	for (size_t i = 1; i < r->n_v4; i++)
		assert_true(r->v4[i].lo > r->v4[i - 1].hi && r->v4[i].lo - r->v4[i - 1].hi > 1);
	for (size_t i = 1; i < r->n_v6; i++)
		assert_true(r->v6[i].lo > r->v6[i - 1].hi && r->v6[i].lo - r->v6[i - 1].hi > 1);
}

static void algebra(void **state)
{
	unsigned int seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct cni_arena *arena = cni_arena_new();
		uint64_t x[CNI_N_FAMILIES], y[CNI_N_FAMILIES], minus[CNI_N_FAMILIES], both[CNI_N_FAMILIES];
		struct cni_ranges a = random_set(arena, &seed, x), b = random_set(arena, &seed, y), out;

		for (int family = 0; family < CNI_N_FAMILIES; family++) {
			minus[family] = x[family] & ~y[family];
			both[family] = x[family] & y[family];
		}
		is_exactly(&a, x);
		out = cni_ranges_minus(arena, &a, &b);
		is_exactly(&out, minus);
		out = cni_ranges_and(arena, &a, &b);
		is_exactly(&out, both);
		assert_int_equal(cni_ranges_overlap(&a, &b), both[0] || both[1]);
		assert_int_equal(cni_ranges_covers(&b, &a), !minus[0] && !minus[1]);
		assert_int_equal(cni_ranges_equal(&a, &b), x[0] == y[0] && x[1] == y[1]);
		cni_arena_free(arena);
	}
}

struct pieces {
	struct cni_addr next; /* where the next piece must begin */
	size_t n;
	bool done;
};

static void each_piece(struct cni_prefix p, void *arg)
{
	struct pieces *pieces = arg;

	assert_false(pieces->done);
	assert_true(cni_addr_equal(p.addr, pieces->next));
	assert_true(cni_addr_equal(cni_prefix_first(p), p.addr));
	pieces->next.v = cni_prefix_last(p).v + 1;
	pieces->done = cni_prefix_last(p).v == cni_prefix_last((struct cni_prefix){ p.addr, 0 }).v;
	pieces->n++;
}

static void splits(void **state)
{
	static const struct {
		const char *lo, *hi;
		size_t n;
	} cases[] = {
		{ "10.0.0.0", "10.0.0.255", 1 },
		{ "10.0.0.1", "10.0.0.254", 14 },
		{ "0.0.0.0", "255.255.255.255", 1 },
		{ "10.0.0.9", "10.0.0.9", 1 },
		{ "0.0.0.1", "255.255.255.255", 32 },
		{ "255.255.255.254", "255.255.255.255", 1 },
		{ "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1 },
		{ "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 254 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct cni_addr hi = addr(cases[i].hi);
		struct pieces pieces = { .next = addr(cases[i].lo) };

		cni_range_to_prefixes(pieces.next, hi, each_piece, &pieces);
		assert_int_equal(pieces.n, cases[i].n);
		assert_true(pieces.next.v == hi.v + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses), cmocka_unit_test(agrees_with_libc), cmocka_unit_test(prefixes),
		cmocka_unit_test(merges), cmocka_unit_test(algebra),	      cmocka_unit_test(splits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
