/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kill.c - SIGKILL after every message of an apply, with traffic flowing, and to the program itself at any time.
 *
 *   kill [--full] [--tunnels] [--top DIRECTORY] [--program CNIC] [TRANSITION…]
 *
 * Every transition is gone through both ways: a child applies and dies behind the n-th datagram that changes anything,
 * the kernel is looked at, and a clean apply gets there, for every n. All the while packets of many flows go through
 * the router: each must arrive by a way that the one policy or the other gives to its flow, and, where both let it
 * through, must arrive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/transaction.h"
#include "tests/fault/compare.h"
#include "tests/fault/faulty.h"
#include "tests/fault/router.h"
#include "tests/fault/stream.h"
#include "tests/fault/transitions.h"

#define CALM_US 400000 /* to see by which ways flows go under a policy */
#define ENOUGH                                                                                                         \
	48 /* packets of which each takes a share of a quarter at least: all shares are seen, but for one in 10^6 */
#define PROGRAM_KILLS 20
#define PROGRAM_KILLS_FULL 200

struct tally {
	size_t kills, old, new, converged, sent, astray, lost;
};

struct run {
	bool full;
	const char *top, *scratch, *program;
	struct rt_netlink *nl;
	struct stream *stream;
	const struct transition *transition;
	const char *files[2];
	const struct cni_state *bare;
	uint8_t allowed[STREAM_FLOWS];
	bool must_arrive[STREAM_FLOWS];
	struct tally tally, total;
	unsigned int failures;
};

static void fail(struct run *r, const char *what, const char *why)
{
	if (++r->failures <= 5)
		printf("#   %s: %s: %s\n", r->transition->name, what, why);
}

static void converge(struct run *r, int side)
{
	struct cni_arena *arena = cni_arena_new();
	const char *why = router_converge(r->nl, arena, r->files[side], true, r->bare);

	if (why)
		fail(r, "converging", why);
	else
		r->tally.converged++;
	cni_arena_free(arena);
}

/* ---- one kill ---- */

static _Noreturn void apply_and_die(const struct attempt *a, size_t at)
{
	struct rt_result result;
	struct rt_netlink *nl;
	struct faulty *faulty;

	if (faulty_open(&faulty))
		_exit(2);
	nl = rt_netlink_new(&faulty->transport);
	faulty_arm(faulty, FAULT_KILL, at);
	_exit(rt_apply(nl, a->arena, a->plan, a->session->diags, &result) ? 1 : 0);
}

/* What is there steers as what was, or as what was to be. */
static void judge(struct run *r, const struct attempt *a, const char *what)
{
	const struct cni_state *now = router_look(r->nl, a->arena);
	const bool in_place = r->transition->in_place;
	const char *from_old = differs_steering(a->arena, a->plan->observed, now, in_place);
	const char *from_new = differs_steering(a->arena, a->plan->desired, now, in_place);
	const char *why = differs_foreign(a->arena, r->bare, now);

	r->tally.kills++;
	r->tally.old += !from_old;
	r->tally.new += from_old && !from_new;
	if (!why)
		why = differs_noted(a->arena, r->bare, now);
	if (!why && from_old && from_new)
		why = cni_printf(a->arena, "neither the one (%s) nor the other (%s)", from_old, from_new);
	if (why)
		fail(r, what, why);
}

/* False: there is no such message; the apply went through. */
static bool kill_at(struct run *r, int side, size_t at)
{
	struct attempt a = attempt_new(r->nl, r->files[!side], true);
	int status = 0;
	pid_t pid;

	if (!a.plan)
		bail_out("%s: no plan", r->transition->name);
	fflush(stdout);
	pid = fork();
	if (!pid)
		apply_and_die(&a, at);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		bail_out("no process to be had");
	if (WIFSIGNALED(status))
		judge(r, &a, cni_printf(a.arena, "%s, killed behind datagram %zu", side ? "back" : "forth", at));
	else if (status)
		fail(r, "applying without a fault", "refused");
	attempt_free(&a);
	return WIFSIGNALED(status);
}

/* ---- the program itself ---- */

static pid_t start_program(const struct run *r, const char *file)
{
	pid_t pid = fork();
	int null;

	if (pid)
		return pid;
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	setenv("CNIC_STATE_DIR", r->scratch, 1);
	execl(r->program, r->program, "apply", "--yes", file, (char *)NULL);
	_exit(127);
}

/* How long the program takes when nobody kills it, which differs between machines: the delays are drawn from that. */
static useconds_t time_program(struct run *r)
{
	const double begun = seconds();
	int status;

	for (int side = 0; side < 2; side++)
		if (waitpid(start_program(r, r->files[!side]), &status, 0) < 0 || status)
			bail_out("the program does not apply %s", r->files[!side]);
	return (useconds_t)((seconds() - begun) / 2 * 1e6);
}

static void kill_program(struct run *r, unsigned int *seed)
{
	const size_t n = r->full ? PROGRAM_KILLS_FULL : PROGRAM_KILLS;
	const useconds_t whole = time_program(r);

	for (size_t i = 0; i < n; i++) {
		const int side = (int)(i & 1);
		struct attempt a = attempt_new(r->nl, r->files[!side], true);
		const useconds_t delay = (useconds_t)rand_r(seed) % whole;
		pid_t pid = start_program(r, r->files[!side]);

		usleep(delay);
		kill(pid, SIGKILL);
		if (!a.plan || waitpid(pid, NULL, 0) != pid)
			bail_out("the program could not be killed");
		judge(r, &a, cni_printf(a.arena, "%s, the program killed after %u us", side ? "back" : "forth", delay));
		attempt_free(&a);
		converge(r, !side);
	}
}

/* ---- all of a transition ---- */

/* By which ways each flow goes while the policy stays. */
static void learn(struct run *r, int side)
{
	uint8_t seen[STREAM_FLOWS];

	converge(r, side);
	usleep(CALM_US / 4);
	stream_begin(r->stream);
	usleep(CALM_US);
	stream_wait(r->stream, ENOUGH);
	stream_end(r->stream);
	stream_seen(r->stream, seen);
	for (size_t i = 0; i < STREAM_FLOWS; i++) {
		r->allowed[i] |= seen[i];
		r->must_arrive[i] = r->must_arrive[i] && seen[i];
	}
}

static void kill_everywhere(struct run *r)
{
	size_t at[2] = { 1, 1 };
	bool over[2] = { 0 };

	for (int side = 0; !over[0] || !over[1]; side = !side) {
		if (!over[side])
			over[side] = !kill_at(r, side, at[side]++);
		converge(r, !side);
	}
}

static void judge_stream(struct run *r)
{
	struct stream_count count = stream_judge(r->stream, r->allowed, r->must_arrive);
	char flow[96], text[224];

	r->tally.sent = count.sent;
	r->tally.astray = count.astray;
	r->tally.lost = count.lost;
	snprintf(text, sizeof(text), "%s, packet %u of %u (conntrack dropped %lu for want of room)",
		 stream_flow(count.flow, flow), count.at, count.of, stream_no_room());
	if (count.astray)
		fail(r, text, count.device ? stream_devices[count.device - 1] : "and others went astray");
	if (r->tally.lost && !r->transition->in_place)
		fail(r, text, "lost");
	if (!count.arrived)
		fail(r, "the stream", "nothing arrived");
}

static size_t count_moving(const struct run *r)
{
	size_t n = 0;

	for (size_t i = 0; i < STREAM_FLOWS; i++)
		n += (r->allowed[i] & (r->allowed[i] - 1)) || (r->allowed[i] && !r->must_arrive[i]);
	return n;
}

static void add(struct tally *to, const struct tally *t)
{
	to->kills += t->kills;
	to->old += t->old;
	to->new += t->new;
	to->converged += t->converged;
	to->sent += t->sent;
	to->astray += t->astray;
	to->lost += t->lost;
}

/* With a seed, the program itself is what is killed. */
static bool run_transition(struct run *r, const struct transition *transition, unsigned int *seed)
{
	struct cni_arena *arena = cni_arena_new();
	const struct tally *t = &r->tally;
	const double begun = seconds();
	bool good;

	r->transition = transition;
	r->tally = (struct tally){ 0 };
	r->failures = 0;
	r->files[0] = transition_file(arena, r->top, r->scratch, transition->from);
	r->files[1] = transition_file(arena, r->top, r->scratch, transition->to);
	memset(r->allowed, 0, sizeof(r->allowed));
	memset(r->must_arrive, 1, sizeof(r->must_arrive));
	learn(r, 1);
	learn(r, 0);
	r->tally.converged = 0;
	stream_begin(r->stream);
	if (seed)
		kill_program(r, seed);
	else
		kill_everywhere(r);
	stream_end(r->stream);
	judge_stream(r);
	r->files[0] = NULL;
	converge(r, 0);
	add(&r->total, t);
	good = !r->failures && t->kills && t->kills == t->old + t->new;
	printf("%sok - %s%s: killed %zu, wholly old %zu, wholly new %zu; applied cleanly %zu times; packets %zu of %d "
	       "flows (%zu of which move), astray %zu, lost %zu (%.1f s)\n",
	       good ? "" : "not ", transition->name, seed ? ", the program itself" : "", t->kills, t->old, t->new,
	       t->converged, t->sent, STREAM_FLOWS, count_moving(r), t->astray, t->lost, seconds() - begun);
	fflush(stdout);
	cni_arena_free(arena);
	return good;
}

static bool is_chosen(const struct transition *t, bool tunnels, char **names)
{
	if (!*names)
		return t->killed && t->tunnels == tunnels;
	for (; *names; names++)
		if (!strcmp(t->name, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	char scratch[] = "/tmp/cnic-kill.XXXXXX";
	struct cni_arena *arena = cni_arena_new();
	const struct transition *last = NULL;
	struct cni_diags diags;
	struct run r = { .top = ".", .scratch = mkdtemp(scratch), .full = getenv("CNIC_FULL") };
	unsigned int seed = (unsigned int)time(NULL);
	bool tunnels = false;
	size_t n = 0, failed = 0;

	(void)argc;
	for (argv++; *argv && **argv == '-'; argv++) {
		r.full |= !strcmp(*argv, "--full");
		tunnels |= !strcmp(*argv, "--tunnels");
		if (!strcmp(*argv, "--top") && argv[1])
			r.top = *++argv;
		else if (!strcmp(*argv, "--program") && argv[1])
			r.program = *++argv;
	}
	stream_make_room();
	router_enter();
	cni_diags_init(&diags, arena);
	if (!r.scratch || rt_netlink_open(&r.nl, &diags))
		bail_out("%s", strerror(errno));
	r.stream = stream_start(tunnels);
	r.bare = router_look(r.nl, arena);
	for (size_t round = 0; round < (r.full ? 3 : 1); round++)
		for (size_t i = 0; i < n_transitions; i++)
			if (is_chosen(&transitions[i], tunnels, argv)) {
				n++;
				failed += !run_transition(&r, &transitions[i], NULL);
				last = transitions[i].from ? &transitions[i] : last;
			}
	if (r.program && last) {
		printf("# seed %u\n", seed);
		n++;
		failed += !run_transition(&r, last, &seed);
	}
	printf("1..%zu\n# killed %zu, wholly old %zu, wholly new %zu, packets %zu, astray %zu, lost %zu\n", n,
	       r.total.kills, r.total.old, r.total.new, r.total.sent, r.total.astray, r.total.lost);
	stream_stop(r.stream);
	shell(cni_printf(arena, "rm -r %s", scratch));
	rt_netlink_free(r.nl);
	cni_arena_free(arena);
	return failed != 0;
}
