/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_only_test.c - by a transport that only reads, the kernel is read as ever, and nothing whatever is written. */
#include "tests/unit/netlink_run.h"

#include <errno.h>

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>

#include "runtime/json/state_json.h"
#include "runtime/netlink/conntrack.h"
#include "runtime/netlink/nft.h"
#include "runtime/netlink/read_only.h"

static void open_reader(struct bench *b)
{
	open_bench(b);
	assert_int_equal(rt_netlink_read_only(b->nl), 0);
}

static char *json_of(struct bench *b, const struct cni_state *state)
{
	json_t *json = rt_state_to_json(state);
	char *text = json_dumps(json, JSON_INDENT(1)), *copy = cni_strdup(b->arena, text);

	free(text);
	json_decref(json);
	return copy;
}

static void test_reads(void **state)
{
	const char *one = NULL, *other = NULL;
	struct bench b, reader;
	struct rt_result result;

	(void)state;
	open_bench(&b);
	must_apply(&b, policy(&b, 'a'), &result);
	open_reader(&reader);
	/* what the kernel does of its own accord, such as link-local addresses, may come in between */
	for (int i = 0; i < 100 && (!i || strcmp(one, other) != 0); i++) {
		usleep(i ? 50000 : 0);
		one = json_of(&b, look(&b));
		other = json_of(&reader, look(&reader));
	}
	assert_string_equal(one, other);
	assert_false(rt_conntrack_has(reader.nl, ~0u, 0x12345678));
	close_bench(&reader);
	must_apply(&b, cni_state_without(b.arena, look(&b)), &result);
	close_bench(&b);
}

/* Whatever a plan would do. */
static void test_refuses_plans(void **state)
{
	struct bench reader;
	struct rt_result result;
	char *before;

	(void)state;
	open_reader(&reader);
	before = json_of(&reader, look(&reader));
	assert_true(apply(&reader, policy(&reader, 'a'), &result) < 0);
	assert_int_not_equal(result.outcome, RT_DONE);
	assert_string_equal(json_of(&reader, look(&reader)), before);
	close_bench(&reader);
}

static int try_message(struct bench *reader, enum rt_bus bus, uint16_t type)
{
	uint64_t room[8] = { 0 };
	struct nlmsghdr *message = mnl_nlmsg_put_header(room);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST;
	mnl_nlmsg_put_extra_header(message, 4);
	return reader->nl->transport->send(reader->nl->transport, bus, room, message->nlmsg_len);
}

/* Every type of message there is, but for those that read. */
static void test_refuses_messages(void **state)
{
	struct bench reader;
	size_t n_passed = 0;

	(void)state;
	open_reader(&reader);
	for (uint16_t type = 0; type < 256; type++) {
		bool reads = type >= RTM_BASE && (type & 3) == 2; /* RTM_GET… */
		int rc = try_message(&reader, RT_ROUTE, type);

		assert_true(reads || rc == -EPERM);
		n_passed += rc != -EPERM;
	}
	assert_int_equal(n_passed, 6);
	for (uint32_t type = 0; type < 0x2000; type++)
		if (try_message(&reader, RT_NETFILTER, (uint16_t)type) != -EPERM)
			n_passed++;
	assert_int_equal(n_passed, 6 + 9);
	assert_int_equal(try_message(&reader, RT_NETFILTER, rt_nft_type(NFT_MSG_GETOBJ_RESET)), -EPERM);
	assert_int_equal(try_message(&reader, RT_NETFILTER, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_CTRZERO),
			 -EPERM);
	assert_int_equal(try_message(&reader, RT_EVENTS, RTM_GETLINK), -EPERM);
	close_bench(&reader);
}

/* One that writes behind one that reads; a part of one; nothing; a setting. */
static void test_refuses_the_rest(void **state)
{
	struct bench reader;
	struct rt_transport *t;
	struct nlmsghdr *first, *second;
	uint64_t room[16] = { 0 };
	int value = -1;

	(void)state;
	open_reader(&reader);
	t = reader.nl->transport;
	first = mnl_nlmsg_put_header(room);
	first->nlmsg_type = RTM_GETLINK;
	mnl_nlmsg_put_extra_header(first, sizeof(struct ifinfomsg));
	second = mnl_nlmsg_put_header((char *)room + first->nlmsg_len);
	second->nlmsg_type = RTM_DELLINK;
	mnl_nlmsg_put_extra_header(second, sizeof(struct ifinfomsg));
	assert_int_equal(t->send(t, RT_ROUTE, room, first->nlmsg_len + second->nlmsg_len), -EPERM);
	assert_int_equal(t->send(t, RT_ROUTE, room, first->nlmsg_len + 20), -EPERM);
	assert_int_equal(t->send(t, RT_ROUTE, room, 8), -EPERM);
	assert_int_equal(t->send(t, RT_ROUTE, room, 0), -EPERM);
	assert_int_equal(t->write_setting(t, "ipv4/conf/v0/rp_filter", 1), -EPERM);
	assert_int_equal(t->read_setting(t, "ipv4/conf/v0/rp_filter", &value), 0);
	assert_int_not_equal(value, 1);
	close_bench(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_refuses_plans),
		cmocka_unit_test(test_refuses_messages),
		cmocka_unit_test(test_refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, enter, NULL);
}
