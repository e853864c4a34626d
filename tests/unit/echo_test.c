/* SPDX-License-Identifier: GPL-2.0-or-later */
/* echo_test.c - what is taken for the answer to an echo, and what is not: forged, late, cut off, or of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/probe/echo.h"

#define HEADER 20 /* of IPv4, without options */

static struct cni_addr address(const char *text)
{
	struct cni_addr addr;

	assert_true(cni_addr_parse(text, strlen(text), &addr));
	return addr;
}

static struct rt_echo asked(const char *target, uint8_t question[RT_ECHO_SIZE])
{
	struct rt_echo echo = { .fd = -1, .target = address(target), .words = { .id = 0xabcd, .sequence = 0xffff } };

	memcpy(echo.words.cookie, "12345678", 8);
	rt_echo_question(&echo, question);
	echo.waiting = true;
	return echo;
}

static void put_checksum(uint8_t *icmp, size_t len)
{
	uint32_t sum = 0;

	icmp[2] = icmp[3] = 0;
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? icmp[i] : (uint32_t)icmp[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	icmp[2] = (uint8_t)(~sum >> 8);
	icmp[3] = (uint8_t)~sum;
}

/* As a raw socket gives it. */
static void answer(const uint8_t question[RT_ECHO_SIZE], uint8_t packet[HEADER + RT_ECHO_SIZE])
{
	memset(packet, 0, HEADER);
	packet[0] = 0x45;
	packet[9] = 1;
	memcpy(packet + HEADER, question, RT_ECHO_SIZE);
	packet[HEADER] = 0;
	put_checksum(packet + HEADER, RT_ECHO_SIZE);
}

static void the_answer(void **state)
{
	uint8_t question[RT_ECHO_SIZE], packet[HEADER + RT_ECHO_SIZE], options[HEADER + 8 + RT_ECHO_SIZE] = { 0x47 };
	struct rt_echo echo = asked("192.0.2.1", question);

	(void)state;
	assert_int_equal(echo.words.sequence, 0); /* after 65535 */
	assert_int_equal(question[0], 8);
	answer(question, packet);
	assert_true(rt_echo_is_answer(&echo, echo.target, packet, sizeof(packet)));
	options[9] = 1;
	memcpy(options + HEADER + 8, packet + HEADER, RT_ECHO_SIZE);
	assert_true(rt_echo_is_answer(&echo, echo.target, options, sizeof(options)));
	echo.waiting = false;
	assert_false(rt_echo_is_answer(&echo, echo.target, packet, sizeof(packet)));
}

static void ipv6(void **state)
{
	uint8_t question[RT_ECHO_SIZE];
	struct rt_echo echo = asked("2001:db8::1", question);

	(void)state;
	assert_int_equal(question[0], 128);
	assert_false(rt_echo_is_answer(&echo, echo.target, question, sizeof(question)));
	question[0] = 129;
	assert_true(rt_echo_is_answer(&echo, echo.target, question, sizeof(question)));
	assert_false(rt_echo_is_answer(&echo, address("2001:db8::2"), question, sizeof(question)));
	for (size_t len = 0; len < sizeof(question); len++)
		assert_false(rt_echo_is_answer(&echo, echo.target, question, len));
}

static void another(void **state)
{
	uint8_t question[RT_ECHO_SIZE], good[HEADER + RT_ECHO_SIZE], packet[sizeof(good)];
	struct rt_echo echo = asked("192.0.2.1", question);

	(void)state;
	answer(question, good);
	assert_false(rt_echo_is_answer(&echo, address("192.0.2.2"), good, sizeof(good)));
	for (size_t len = 0; len < sizeof(good); len++)
		assert_false(rt_echo_is_answer(&echo, echo.target, good, len));
	/* any byte changed, be the checksum put right or not */
	for (size_t i = HEADER; i < sizeof(good); i++) {
		memcpy(packet, good, sizeof(good));
		packet[i] ^= 1;
		assert_false(rt_echo_is_answer(&echo, echo.target, packet, sizeof(packet)));
		if (i == HEADER + 2 || i == HEADER + 3)
			continue;
		put_checksum(packet + HEADER, RT_ECHO_SIZE);
		assert_false(rt_echo_is_answer(&echo, echo.target, packet, sizeof(packet)));
	}
	/* headers that lie */
	for (unsigned int first = 0; first < 256; first++) {
		memcpy(packet, good, sizeof(good));
		packet[0] = (uint8_t)first;
		assert_int_equal(rt_echo_is_answer(&echo, echo.target, packet, sizeof(packet)), first == 0x45);
	}
}

static void noise(void **state)
{
	uint8_t question[RT_ECHO_SIZE], packet[512];
	struct rt_echo four = asked("192.0.2.1", question), six = asked("2001:db8::1", question);

	(void)state;
	srandom(1);
	for (int i = 0; i < 100000; i++) {
		size_t len = (size_t)random() % sizeof(packet);

		for (size_t j = 0; j < len; j++)
			packet[j] = (uint8_t)random();
		assert_false(rt_echo_is_answer(&four, four.target, packet, len));
		assert_false(rt_echo_is_answer(&six, six.target, packet, len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_answer),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(another),
		cmocka_unit_test(noise),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
