/* SPDX-License-Identifier: GPL-2.0-or-later */
/* transaction_test.c - from one policy to another with something going wrong at each message in turn. */
#include "tests/unit/netlink_run.h"

#include <errno.h>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

/* A transport with which something goes wrong at the n-th datagram that changes anything: it is refused, its answer is
 * lost, or somebody else does something first. */
struct faulty {
	struct rt_transport transport, *real;
	size_t countdown;
	const char *meddle; /* NULL: one of the others */
	int error; /* 0: the answer is lost */
	bool mute;
};

static bool is_due(struct faulty *f)
{
	return f->countdown && !--f->countdown;
}

static int faulty_send(struct rt_transport *t, enum rt_bus bus, const void *data, size_t len)
{
	struct faulty *f = (struct faulty *)t;
	const uint16_t type = ((const uint16_t *)data)[2];
	/* requests of rtnetlink have types of 2 mod 4; of nfnetlink, only batches begin with a frame */
	bool changes = bus == RT_NETFILTER ? type == NFNL_MSG_BATCH_BEGIN : type % 4 != 2;

	if (changes && is_due(f)) {
		if (f->error)
			return f->error;
		if (f->meddle)
			sh(f->meddle);
		f->mute = !f->meddle;
	}
	return f->real->send(f->real, bus, data, len);
}

static ssize_t faulty_receive(struct rt_transport *t, enum rt_bus bus, void *buffer, size_t size)
{
	struct faulty *f = (struct faulty *)t;
	ssize_t len = f->real->receive(f->real, bus, buffer, size);

	if (f->mute && bus != RT_EVENTS) {
		while (f->real->receive(f->real, bus, buffer, size) > 0)
			;
		f->mute = false;
		return 0;
	}
	return len;
}

static int faulty_read(struct rt_transport *t, const char *path, int *value)
{
	struct faulty *f = (struct faulty *)t;

	return f->real->read_setting(f->real, path, value);
}

static int faulty_write(struct rt_transport *t, const char *path, int value)
{
	struct faulty *f = (struct faulty *)t;

	if (is_due(f) && f->error)
		return f->error;
	return f->real->write_setting(f->real, path, value);
}

static void faulty_close(struct rt_transport *t)
{
	struct faulty *f = (struct faulty *)t;

	f->real->close(f->real);
}

/* From one policy to another with the n-th message going wrong, for every n: one or the other, and the next apply gets
 * there. With `harmless`, it is the other at once; without `strict`, only the end counts. */
static void fail_everywhere(char from, char to, int error, const char *meddle, bool harmless, bool strict)
{
	struct faulty faulty = { .transport = { faulty_send, faulty_receive, faulty_read, faulty_write, faulty_close },
				 .error = error,
				 .meddle = meddle };
	bool reached = false;

	assert_int_equal(rt_socket_open(&faulty.real), 0);
	for (size_t n = 1; !reached; n++) {
		struct bench b = { .arena = cni_arena_new() };
		const struct cni_state *old, *new;
		struct rt_result result;

		cni_diags_init(&b.diags, b.arena);
		b.nl = rt_netlink_new(&faulty.transport);
		assert_non_null(b.nl);
		old = from ? policy(&b, from) : cni_state_without(b.arena, look(&b));
		new = to ? policy(&b, to) : cni_state_without(b.arena, look(&b));
		must_apply(&b, old, &result);
		if (!to)
			new = cni_state_without(b.arena, look(&b));

		faulty.countdown = n;
		apply(&b, new, &result);
		reached = faulty.countdown;
		faulty.countdown = 0;
		if (strict && !(result.outcome == RT_DONE ? holds(&b, new, result.n_leftovers)
							  : result.outcome != RT_INCOMPLETE && holds(&b, old, 0))) {
			print_diags(&b);
			fail_msg("%c to %c: after failure %zu with %d: outcome %d", from, to, n, error,
				 (int)result.outcome);
		}
		if (harmless != (result.outcome == RT_DONE) && (harmless || n == 1))
			print_diags(&b);
		assert_true(harmless ? result.outcome == RT_DONE : !strict || n > 1 || result.outcome != RT_DONE);
		b.diags.n_errors = 0;
		must_apply(&b, new, &result);
		free(b.nl->devices);
		free(b.nl);
		cni_arena_free(b.arena);
	}
	faulty.real->close(faulty.real);
}

static void test_faults(void **state)
{
	static const int errors[] = { -ENOMEM, 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		fail_everywhere(0, 'a', errors[i], NULL, false, true);
		fail_everywhere('a', 'b', errors[i], NULL, false, true);
		fail_everywhere('b', 0, errors[i], NULL, false, true);
	}
}

/* Someone else's nft transaction at any moment does not matter; one to our own table does, and is seen. */
static void test_meddling(void **state)
{
	(void)state;
	fail_everywhere('a', 'b', 0, "nft 'add table inet m; delete table inet m'", true, true);
	fail_everywhere('a', 'b', 0, "nft flush table inet cnic", false, false);
	fail_everywhere(
		'b', 0, 0,
		"nft 'add table inet cnic; delete table inet cnic'; ip rule add priority 20001 lookup 9 protocol 93",
		false, false);
	sh("! ip rule | grep -w 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_faults), cmocka_unit_test(test_meddling) };

	return cmocka_run_group_tests(tests, enter, NULL);
}
