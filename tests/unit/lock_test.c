/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lock_test.c - the lock across a fork, and the door of a process that awaits a confirmation. */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "netlink_run.h"
#include "runtime/confirm/confirm.h"
#include "runtime/confirm/door.h"
#include "runtime/local.h"
#include "runtime/lock.h"

/* Who a second writer is told of. */
static int named(void)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_diags diags;
	int second = -1, pid = 0;

	cni_diags_init(&diags, arena);
	assert_int_equal(rt_lock(0, &second, &diags), -EWOULDBLOCK);
	assert_int_equal(sscanf(diags.first->message, "process %d of user ", &pid), 1);
	cni_arena_free(arena);
	return pid;
}

static void fork_and_lock(void **state)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_diags diags;
	int lock = -1, second = -1, pid, ready[2];
	char byte;

	(void)state;
	cni_diags_init(&diags, arena);
	assert_int_equal(rt_lock(0, &lock, &diags), 0);
	assert_int_equal(named(), getpid());
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		rt_lock_take_over(lock);
		(void)!write(ready[1], "", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(named(), pid);
	/* it stays while either holds it, and goes with the last, however that ends */
	close(lock);
	assert_int_equal(named(), pid);
	kill(pid, SIGKILL);
	assert_int_equal(rt_lock(5000, &second, &diags), 0);
	waitpid(pid, NULL, 0);
	close(second);
	close(ready[0]);
	close(ready[1]);
	cni_arena_free(arena);
}

static int visit(uint32_t form, uint32_t kind, uint32_t revision)
{
	const struct rt_confirm_message message = { form, kind, revision };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	assert_int_equal(rt_local_connect(fd, RT_CONFIRM_SOCKET), 0);
	assert_int_equal(send(fd, &message, sizeof(message), 0), sizeof(message));
	return fd;
}

/* The kind of the answer; -1: shown out without one; -2: none yet. */
static int answered(int fd)
{
	struct rt_confirm_message message;
	ssize_t len = recv(fd, &message, sizeof(message), MSG_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN ? -2 : -1;
	return len ? (int)message.kind : -1;
}

static void the_door(void **state)
{
	struct rt_door door, other;
	int fds[8], fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)state;
	assert_int_equal(rt_door_open(&door), 0);
	door.revision = 7;
	assert_int_equal(rt_door_open(&other), -EADDRINUSE);
	assert_int_equal(rt_local_connect(fd, RT_CONFIRM_SOCKET), -ECONNREFUSED); /* not before there is something */
	close(fd);
	assert_int_equal(rt_door_listen(&door), 0);
	assert_int_equal(rt_door_look(&door), RT_WISH_NONE);

	fds[0] = visit(RT_CONFIRM_WIRE, RT_WIRE_WHO, 0);
	fds[1] = visit(RT_CONFIRM_WIRE, RT_WIRE_KEEP, 8);
	fds[2] = visit(RT_CONFIRM_WIRE + 1, RT_WIRE_KEEP, 7);
	fds[3] = visit(RT_CONFIRM_WIRE, 77, 7);
	assert_int_equal(rt_door_look(&door), RT_WISH_NONE);
	assert_int_equal(answered(fds[0]), RT_WIRE_WAITS);
	assert_int_equal(answered(fds[1]), RT_WIRE_OTHER);
	assert_int_equal(answered(fds[2]), -1);
	assert_int_equal(answered(fds[3]), -1);

	fds[4] = visit(RT_CONFIRM_WIRE, RT_WIRE_KEEP, 7);
	assert_int_equal(rt_door_look(&door), RT_WISH_KEEP);
	fds[5] = visit(RT_CONFIRM_WIRE, RT_WIRE_KEEP, 0);
	fds[6] = visit(RT_CONFIRM_WIRE, RT_WIRE_BACK, 0);
	fds[7] = visit(RT_CONFIRM_WIRE, RT_WIRE_KEEP, 0);
	assert_int_equal(rt_door_look(&door), RT_WISH_BACK);
	assert_int_equal(answered(fds[4]), -2);
	rt_door_answer(&door, RT_WIRE_REVERTED);
	for (int i = 4; i < 8; i++)
		assert_int_equal(answered(fds[i]), RT_WIRE_REVERTED);
	rt_door_close(&door);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
}

/* More than there are places for, and none says a word: a look never waits, and who speaks is heard. */
static void a_crowd(void **state)
{
	struct rt_door door;
	int silent[48], fd;
	enum rt_wish wish = RT_WISH_NONE;

	(void)state;
	assert_int_equal(rt_door_open(&door), 0);
	assert_int_equal(rt_door_listen(&door), 0);
	for (size_t i = 0; i < 48; i++) {
		silent[i] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		assert_int_equal(rt_local_connect(silent[i], RT_CONFIRM_SOCKET), 0);
	}
	fd = visit(RT_CONFIRM_WIRE, RT_WIRE_KEEP, 0);
	for (int i = 0; i < 8 && !wish; i++)
		wish = rt_door_look(&door);
	assert_int_equal(wish, RT_WISH_KEEP);
	rt_door_close(&door);
	for (size_t i = 0; i < 48; i++)
		close(silent[i]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fork_and_lock),
		cmocka_unit_test(the_door),
		cmocka_unit_test(a_crowd),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, enter, NULL);
}
