/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin_test.c - the kernel twin without a kernel: witnesses as bytes, what is known again of them, and that a kernel which
 * does otherwise than the model is found out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "compiler/arena.h"
#include "runtime/twin/packet.h"
#include "runtime/twin/wanted.h"

#define TAG 0x1234

static struct cni_addr address(const char *text)
{
	struct cni_addr addr;

	assert_true(cni_addr_parse(text, strlen(text), &addr));
	return addr;
}

static struct cni_header header(const char *from, const char *to, unsigned int proto)
{
	struct cni_header h = { .family = address(to).family };

	h.field[CNI_FIELD_FROM] = address(from).v;
	h.field[CNI_FIELD_TO] = address(to).v;
	h.field[CNI_FIELD_PROTO] = proto;
	h.field[CNI_FIELD_SPORT] = 40000;
	h.field[CNI_FIELD_DPORT] = 443;
	h.field[CNI_FIELD_DSCP] = 46;
	h.field[CNI_FIELD_TYPE] = 8;
	return h;
}

/* RFC 1071: of what has its checksum in it, 0. */
static unsigned int rest(const uint8_t *data, size_t len, unsigned int sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? data[i] : (unsigned int)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum ^ 0xffff;
}

static void has_right_checksums(void **state)
{
	static const unsigned int protos[] = { 6, 17, 33, 136 };
	struct cni_header h = header("10.1.0.5", "198.51.100.9", 1);
	uint8_t packet[RT_TWIN_PACKET];
	size_t len = rt_twin_packet(&h, TAG, packet);

	(void)state;
	assert_int_equal(len, packet[2] << 8 | packet[3]);
	assert_int_equal(packet[1], 46 << 2);
	assert_int_equal(packet[8], 64);
	assert_int_equal(rest(packet, 20, 0), 0);
	assert_int_equal(rest(packet + 20, len - 20, 0), 0);
	for (size_t i = 0; i < sizeof(protos) / sizeof(*protos); i++) {
		h = header("10.1.0.5", "198.51.100.9", protos[i]);
		len = rt_twin_packet(&h, TAG, packet);
		assert_int_equal(rest(packet + 12, len - 12, protos[i] + (unsigned int)len - 20), 0);
		h = header("2001:db8::5", "2001:db8:1::9", protos[i]);
		len = rt_twin_packet(&h, TAG, packet);
		assert_int_equal(len - 40, packet[4] << 8 | packet[5]);
		assert_int_equal(rest(packet + 8, len - 8, protos[i] + (unsigned int)len - 40), 0);
	}
	h = header("2001:db8::5", "2001:db8:1::9", 58);
	len = rt_twin_packet(&h, TAG, packet);
	assert_int_equal(rest(packet + 8, len - 8, 58 + (unsigned int)len - 40), 0);
}

/* Against the same polynomial, turned the other way round: RFC 9260, appendix A. */
static void has_the_checksum_of_sctp(void **state)
{
	struct cni_header h = header("10.1.0.5", "198.51.100.9", 132);
	uint8_t packet[RT_TWIN_PACKET];
	const uint8_t *t = packet + 20;
	uint32_t crc = UINT32_MAX;

	(void)state;
	assert_int_equal(rt_twin_packet(&h, TAG, packet), 52);
	for (size_t i = 0; i < 32; i++) /* most significant bit first, of mirrored bytes */
		for (int bit = 0; bit < 8; bit++) {
			const uint32_t in = (i < 8 || i > 11) ? t[i] >> bit & 1 : 0;

			crc = crc << 1 ^ ((crc >> 31 ^ in) ? 0x1edc6f41u : 0);
		}
	crc = ~crc;
	for (int i = 0; i < 4; i++) {
		uint8_t mirrored = 0;

		for (int bit = 0; bit < 8; bit++)
			mirrored |= (uint8_t)((crc >> (24 - 8 * i) & 1u << bit) ? 0x80 >> bit : 0);
		assert_int_equal(t[8 + i], mirrored);
	}
}

static enum rt_twin_kin kin(const struct cni_header *h, const uint8_t *data, size_t len)
{
	struct cni_addr source;
	unsigned int mss;

	return rt_twin_recognise(h, TAG, data, len, &source, &mss);
}

static void knows_itself_again(void **state)
{
	const struct cni_header h = header("10.1.0.5", "198.51.100.9", 6);
	uint8_t packet[RT_TWIN_PACKET];
	const size_t len = rt_twin_packet(&h, TAG, packet);
	struct cni_addr source;
	unsigned int mss;

	(void)state;
	cni_addr_to_bytes(address("192.0.2.1"), packet + 12); /* translated */
	packet[42] = 1436 >> 8; /* and clamped */
	packet[43] = 1436 & 0xff;
	assert_int_equal(rt_twin_recognise(&h, TAG, packet, len, &source, &mss), RT_TWIN_ITSELF);
	assert_true(cni_addr_equal(source, address("192.0.2.1")));
	assert_int_equal(mss, 1436);
	for (size_t cut = 0; cut < 20; cut++)
		assert_int_equal(kin(&h, packet, cut), RT_TWIN_STRANGER);
	packet[5] ^= 1; /* another's tag */
	assert_int_equal(kin(&h, packet, len), RT_TWIN_STRANGER);
}

static void knows_what_it_is_in(void **state)
{
	const struct cni_header h = header("2001:db8::5", "2001:db8:1::9", 17);
	const struct cni_header outer = header("198.51.100.2", "203.0.113.200", 47);
	const struct cni_header error = header("2001:db8:2::1", "2001:db8::5", 58);
	const struct cni_header answer = header("2001:db8:1::9", "2001:db8::5", 6);
	uint8_t data[2 * RT_TWIN_PACKET], inner[RT_TWIN_PACKET];
	const size_t len = rt_twin_packet(&h, TAG, inner);

	(void)state;
	rt_twin_packet(&outer, 7, data);
	data[20] = 0x20; /* with a key */
	memcpy(data + 28, inner, len);
	assert_int_equal(kin(&h, data, 28 + len), RT_TWIN_OUTER);
	data[20] = 0; /* without, so that the packet in it is cut off in front */
	assert_int_equal(kin(&h, data, 28 + len), RT_TWIN_STRANGER);

	rt_twin_packet(&error, 7, data);
	memcpy(data + 48, inner, len);
	data[40] = 1;
	data[41] = 0; /* no route */
	assert_int_equal(kin(&h, data, 48 + len), RT_TWIN_REFUSAL);
	data[41] = 4; /* no such port: that has arrived */
	assert_int_equal(kin(&h, data, 48 + len), RT_TWIN_ANSWER);
	data[40] = 3; /* its hops are used up */
	assert_int_equal(kin(&h, data, 48 + len), RT_TWIN_STRANGER);

	assert_int_equal(kin(&h, data, rt_twin_packet(&answer, 7, data)), RT_TWIN_ANSWER);
}

static void leaves_out_what_nobody_forwards(void **state)
{
	static const char *const unfit[][2] = { { "127.0.0.1", "192.0.2.1" }, { "224.0.0.5", "192.0.2.1" },
						{ "0.0.0.5", "192.0.2.1" },   { "::1", "2001:db8::1" },
						{ "fe80::5", "2001:db8::1" }, { "ff02::5", "2001:db8::1" } };
	struct cni_header h;

	(void)state;
	for (size_t i = 0; i < sizeof(unfit) / sizeof(*unfit); i++) {
		h = header(unfit[i][0], unfit[i][1], 6);
		assert_non_null(rt_twin_unfit(&h));
	}
	h = header("2001:db8::5", "2001:db8::1", 60);
	assert_non_null(rt_twin_unfit(&h));
	h = header("10.1.0.5", "192.0.2.1", 60);
	assert_null(rt_twin_unfit(&h));
}

/* ---- the verdict ---- */

static struct rt_twin_seen seen_by(const char *device, const char *hop, const char *source, unsigned int mss)
{
	struct rt_twin_seen seen = { .end = RT_TWIN_LEFT, .source = address(source), .mss = mss };

	snprintf(seen.way.device, sizeof(seen.way.device), "%s", device);
	seen.way.has_hop = hop;
	if (hop)
		seen.way.hop = address(hop);
	return seen;
}

static void finds_a_wrong_model(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	const struct cni_header h = header("10.1.0.5", "203.0.113.9", 6);
	const bool down[1] = { false };
	struct cni_fate_member members[] = {
		{ .name = "isp",
		  .masquerade = true,
		  .traits = { "eth0", "198.51.100.1", "1500", "not clamped", "198.51.100.2", NULL, NULL } },
		{ .name = "cf1",
		  .traits = { "cf1", NULL, "1476", "1436", NULL, "gre",
			      "eth1 by 192.0.2.10 then eth3 by 192.0.2.20" } },
	};
	struct cni_fate fate = { .members = members, .n_members = 2, .verdict = CNI_VERDICT_DROP };
	struct rt_twin_question q = { .fate = &fate, .device = "eth2", .packet = &h, .down = down };
	struct rt_twin_wanted wanted = rt_twin_wanted(arena, &q);
	struct rt_twin_seen seen = seen_by("eth0", "198.51.100.1", "198.51.100.2", RT_TWIN_MSS);
	const struct rt_twin_seen silent = { .end = RT_TWIN_SILENT };

	(void)state;
	assert_null(rt_twin_judge(arena, &wanted, &h, &seen));
	assert_string_equal(rt_twin_judge(arena, &wanted, &h, &silent), "by eth0 to 198.51.100.1, from 198.51.100.2");
	seen = seen_by("eth1", "198.51.100.1", "198.51.100.2", RT_TWIN_MSS);
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* another device */
	seen = seen_by("eth0", "198.51.100.5", "198.51.100.2", RT_TWIN_MSS);
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* another hop */
	seen = seen_by("eth0", NULL, "198.51.100.2", RT_TWIN_MSS);
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* none */
	seen = seen_by("eth0", "198.51.100.1", "10.1.0.5", RT_TWIN_MSS);
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* not translated */
	seen = seen_by("eth0", "198.51.100.1", "198.51.100.2", 1436);
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* clamped */
	seen = seen_by("cf1", NULL, "10.1.0.5", 1436);
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* the second while the first is up */

	fate.weighted = true;
	wanted = rt_twin_wanted(arena, &q);
	assert_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* but as good as the first where they share */
	seen.wraps = true;
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* nothing came out of the tunnel */
	seen.has_outer = true;
	seen.outer = seen_by("eth1", "192.0.2.10", "10.1.0.5", 0).way;
	assert_null(rt_twin_judge(arena, &wanted, &h, &seen));
	seen.outer = seen_by("eth3", "192.0.2.20", "10.1.0.5", 0).way;
	assert_non_null(rt_twin_judge(arena, &wanted, &h, &seen)); /* the outer packet took the second */

	fate = (struct cni_fate){ .verdict = CNI_VERDICT_DROP };
	wanted = rt_twin_wanted(arena, &q);
	assert_null(rt_twin_judge(arena, &wanted, &h, &silent));
	assert_string_equal(rt_twin_judge(arena, &wanted, &h, &seen), "dropped");
	fate.verdict = CNI_VERDICT_MAIN;
	wanted = rt_twin_wanted(arena, &q);
	assert_string_equal(rt_twin_judge(arena, &wanted, &h, &seen), "by main");
	seen = seen_by("main0", NULL, "10.1.0.5", RT_TWIN_MSS);
	seen.end = RT_TWIN_BY_MAIN;
	assert_null(rt_twin_judge(arena, &wanted, &h, &seen));
	cni_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_right_checksums),
		cmocka_unit_test(has_the_checksum_of_sctp),
		cmocka_unit_test(knows_itself_again),
		cmocka_unit_test(knows_what_it_is_in),
		cmocka_unit_test(leaves_out_what_nobody_forwards),
		cmocka_unit_test(finds_a_wrong_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
