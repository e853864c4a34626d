/* SPDX-License-Identifier: GPL-2.0-or-later */
/* down.c - targets go down and come back while one policy is changed for another: before each datagram, and before each
 * request, in turn; and all the time, while applies run one after the other.
 *
 * The tracker knows the policy before alone. The change must succeed each time, be verified, and leave what the new policy
 * says of a router on which just those targets are down: at once where something was still to be sent or looked at, else
 * when the tracker has come to know of the new policy. Where the kernel refuses something after that, the policy before must be
 * back, and with the tracker's next look all of it is as it says of such a day. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/state/down.h"
#include "runtime/netlink/report.h"
#include "runtime/transaction.h"
#include "tests/fault/faulty.h"
#include "tests/fault/tracker.h"

#define ATTEMPTS 3 /* as the command has (commands/change.c) */
#define CNI (1u << 1) /* of alt, cni, isp */
#define ALT (1u << 0)
#define ALL 7u

/* What is down before, and after. The first two are tried; with CNIC_FULL, all. */
static const struct turn {
	unsigned int from, to;
} turns[] = { { 0, CNI }, { CNI, ALT }, { CNI, 0 }, { ALT, ALL }, { ALL, CNI } };

struct trial {
	struct rt_netlink *wrong, *clean;
	struct faulty *faulty;
	struct tracker tracker;
	const char *files[2], *from, *to;
	struct turn turn;
	bool on_requests;
	bool refuses; /* the kernel does, the second message after the target went down */
	bool meddled;
	size_t at;
	size_t n_again; /* further attempts */
};

static void meddle(void *arg)
{
	struct trial *t = arg;

	tracker_say(&t->tracker, t->turn.to);
	t->meddled = true;
	if (t->refuses)
		faulty_arm(t->faulty, FAULT_EBUSY, 2);
}

static void must_converge(struct trial *t, const char *file)
{
	struct attempt a = attempt_new(t->clean, file, false);
	struct rt_result result;

	if (!a.plan || rt_apply(t->clean, a.arena, a.plan, a.session->diags, &result)) {
		attempt_print(&a);
		bail_out("%s: no clean apply", file);
	}
	attempt_free(&a);
}

/* NULL, or what is not so. */
static const char *judge(struct trial *t, struct cni_arena *arena, const char *file)
{
	struct attempt a = attempt_new(t->clean, file, false);
	const size_t n_tracked = a.plan ? a.plan->desired->n_tracked : 0;
	const char *why = !a.plan ? "there is no plan" : NULL;

	for (size_t i = 0; i < n_tracked; i++)
		if (cni_is_down(a.plan->observed, a.plan->desired->tracked[i]) != !!(t->turn.to & 1u << i))
			why = "what the tracker said is no longer there";
	if (!why && a.plan->n_steps)
		why = cni_printf(arena, "%zu steps are left, such as %s", a.plan->n_steps,
				 rt_step_text(arena, a.plan->steps));
	attempt_free(&a);
	return why;
}

/* The policy that is there then. */
static const char *change(struct trial *t, struct cni_arena *arena, const char **why)
{
	struct rt_result result = { .outcome = RT_UNTOUCHED };
	int rc = -ESTALE;

	t->meddled = false;
	for (int i = 0; rc == -ESTALE && i < ATTEMPTS; i++) {
		struct attempt a = attempt_new(t->wrong, t->to, false);

		if (!i) {
			faulty_arm(t->faulty, FAULT_MEDDLE, t->at);
			t->faulty->on_requests = t->on_requests;
		}
		rc = a.plan ? rt_apply(t->wrong, a.arena, a.plan, a.session->diags, &result) : -EINVAL;
		t->n_again += rc == -ESTALE;
		if (rc && rc != -ESTALE && !t->refuses)
			attempt_print(&a);
		attempt_free(&a);
	}
	if (t->refuses && t->meddled && result.outcome != RT_INCOMPLETE)
		return result.outcome == RT_DONE ? t->to : t->from;
	if (result.outcome != RT_DONE || !result.verified || result.n_leftovers)
		*why = cni_printf(arena, "outcome %d, %zu left over", (int)result.outcome, result.n_leftovers);
	return t->to;
}

/* False: there is no such message. */
static bool run_trial(struct trial *t, unsigned int *failures)
{
	struct cni_arena *arena = cni_arena_new();
	const char *why = NULL, *there;
	const bool looks_again = t->on_requests || t->refuses;

	must_converge(t, t->from);
	tracker_come(&t->tracker, t->clean, t->from);
	tracker_say(&t->tracker, t->turn.from);
	there = change(t, arena, &why);
	faulty_arm(t->faulty, FAULT_MEDDLE, 0);
	tracker_go(&t->tracker);
	if (t->refuses && there == t->to)
		must_converge(t, there); /* what it could not remove */
	if (t->meddled && looks_again) {
		tracker_come(&t->tracker, t->clean, there);
		tracker_go(&t->tracker);
	}
	if (t->meddled && !why)
		why = judge(t, arena, there);
	if (why && ++*failures < 5)
		printf("#   %u to %u down at %s %zu: %s\n", t->turn.from, t->turn.to,
		       t->on_requests ? "request" : "datagram", t->at, why);
	cni_arena_free(arena);
	return t->meddled;
}

static bool run_all(struct trial *t, const char *title)
{
	unsigned int failures = 0;
	size_t n = 0;

	t->n_again = 0;
	for (size_t i = 0; i < (getenv("CNIC_FULL") ? sizeof(turns) / sizeof(*turns) : 2); i++) {
		t->turn = turns[i];
		for (t->at = 1; run_trial(t, &failures); t->at++)
			n++;
	}
	printf("%sok - %s: %zu times, of them planned again %zu\n", failures || !n ? "not " : "", title, n, t->n_again);
	fflush(stdout);
	return !failures && n;
}

/* ---- both at once ---- */

#define APPLIES 60

static bool has_counter(const struct cni_state *state, const char *name)
{
	for (size_t i = 0; i < state->n_counters; i++)
		if (!strcmp(state->counters[i].name, name))
			return true;
	return false;
}

/* The policy that is live, if just one is there. */
static const char *live(struct trial *t)
{
	struct cni_arena *arena = cni_arena_new();
	const struct cni_state *state = router_look(t->clean, arena);
	const bool tracked = has_counter(state, "route.hq.out"), turned = has_counter(state, "route.hq.others");

	cni_arena_free(arena);
	return tracked == turned ? NULL : tracked ? t->files[0] : t->files[1];
}

/* A tracker whose targets go down and come back all the time, until it is killed. */
_Noreturn static void flap(struct trial *t)
{
	struct cni_diags diags;

	cni_diags_init(&diags, cni_arena_new());
	if (rt_netlink_open(&t->clean, &diags))
		_exit(1);
	for (unsigned int i = 0;; i++) {
		const char *file = live(t);

		usleep(1000 * (i * 7 % 20));
		if (!file)
			continue;
		tracker_come(&t->tracker, t->clean, file);
		tracker_say(&t->tracker, i * 5 % 8);
		tracker_go(&t->tracker);
	}
}

static bool run_both(struct trial *t)
{
	struct cni_arena *arena = cni_arena_new();
	const pid_t child = fork();
	const char *why = NULL;
	size_t n = 0;

	if (child < 0)
		bail_out("fork: %s", strerror(errno));
	if (!child)
		flap(t);
	t->n_again = 0;
	t->at = 0;
	for (; n < APPLIES && !why; n++) {
		t->to = t->files[n % 2];
		(void)change(t, arena, &why);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* it was cut off somewhere: the next one picks it up */
	t->turn.to = 5;
	tracker_come(&t->tracker, t->clean, t->to);
	tracker_say(&t->tracker, t->turn.to);
	tracker_go(&t->tracker);
	t->to = t->files[n % 2];
	if (!why)
		(void)change(t, arena, &why);
	if (!why)
		why = judge(t, arena, t->to);
	if (why)
		printf("#   after %zu applies: %s\n", n, why);
	printf("%sok - targets go up and down while %zu applies run, of them planned again %zu\n", why ? "not " : "", n,
	       t->n_again);
	cni_arena_free(arena);
	return !why;
}

int main(int argc, char **argv)
{
	const char *const top = argc > 1 ? argv[1] : ".";
	struct cni_arena *arena = cni_arena_new();
	struct trial t = { .files = { cni_printf(arena, "%s/tests/fault/policies/tracked.cni", top),
				      cni_printf(arena, "%s/tests/fault/policies/turned.cni", top) } };
	struct cni_diags diags;
	bool good = true;

	cni_diags_init(&diags, arena);
	router_enter();
	if (faulty_open(&t.faulty) || rt_netlink_open(&t.clean, &diags))
		bail_out("%s", strerror(errno));
	t.wrong = rt_netlink_new(&t.faulty->transport);
	t.faulty->meddle = meddle;
	t.faulty->arg = &t;
	for (int i = 0; i < 6; i++) {
		static const char *const when[] = { "before each datagram", "before each request",
						    "before each datagram, and then something is refused" };

		t.from = t.files[i & 1];
		t.to = t.files[!(i & 1)];
		t.on_requests = i / 2 == 1;
		t.refuses = i / 2 == 2;
		good &= run_all(&t, cni_printf(arena, "%s, %s", i & 1 ? "back" : "forth", when[i / 2]));
	}
	t.refuses = false;
	good &= run_both(&t);
	puts("1..7");
	rt_netlink_free(t.wrong);
	rt_netlink_free(t.clean);
	cni_arena_free(arena);
	return !good;
}
