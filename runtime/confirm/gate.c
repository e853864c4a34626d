/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gate.c - see gate.h. */
#include "runtime/confirm/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include "runtime/probe/echo.h"
#include "runtime/probe/route_to.h"

struct probe {
	const struct cni_target *target;
	struct cni_addr address;
	struct rt_echo_way way;
	struct rt_echo echo;
	unsigned int row; /* answers, one after the other */
	int64_t next, until; /* ms: when the next question is due, and up to when the last one may be answered */
	int error; /* why none could be sent; 0: it was */
};

struct home { /* the management path */
	bool is_known;
	struct cni_addr here, there;
	unsigned int ifindex; /* by which packets left before the change */
};

struct rt_gate {
	struct rt_netlink *nl;
	struct probe *probes;
	size_t n_probes;
	struct home home;
	int any; /* epoll */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what is to be proved ---- */

/* The mark of answers to what came in by the target: what lies beyond the peer is reached by the target's way only,
 * whatever main says, and also when it is down. It also keeps a policy on `local` from steering them. */
static uint32_t mark_of(const struct cni_state *state, const char *target)
{
	for (size_t i = 0; i < state->n_ways; i++)
		if (state->ways[i].is_return && !strcmp(state->ways[i].targets->target, target))
			return state->ways[i].mark;
	return 0;
}

static struct rt_echo_way way_of(const struct rt_attempt *attempt, const struct cni_target *target,
				 enum cni_family family)
{
	struct rt_echo_way way = { .device = target->ifname, .mark = mark_of(attempt->plan->desired, target->name) };

	if (target->track.has_source && target->track.source.family == family) {
		way.has_source = true;
		way.source = target->track.source;
	} else if (target->iface[family].has_address) {
		way.has_source = true;
		way.source = target->iface[family].address.addr;
	}
	return way;
}

static void add_probes(struct rt_gate *gate, const struct rt_attempt *attempt, const struct cni_target *target)
{
	struct cni_arena *arena = attempt->session->arena;

	if (target->track.mode != CNI_TRACK_ON)
		return;
	for (size_t i = 0; i < target->track.n_targets; i++) {
		struct cni_addr address = target->track.targets[i];

		*cni_push(arena, gate->probes, gate->n_probes) =
			(struct probe){ .target = target,
					.address = address,
					.way = way_of(attempt, target, address.family),
					.echo = { .fd = -1 } };
	}
}

/* "CLIENT PORT SERVER PORT", as sshd(8) says. */
static void find_home(struct rt_gate *gate)
{
	const char *text = getenv("SSH_CONNECTION");
	size_t at[4] = { 0 }, len[4] = { 0 }, offset = 0;

	for (size_t i = 0; text && i < 4; i++) {
		offset += strspn(text + offset, " ");
		at[i] = offset;
		len[i] = strcspn(text + offset, " ");
		offset += len[i];
	}
	gate->home.is_known = text && cni_addr_parse(text + at[0], len[0], &gate->home.there) &&
			      cni_addr_parse(text + at[2], len[2], &gate->home.here) &&
			      gate->home.here.family == gate->home.there.family &&
			      !rt_route_to(gate->nl, gate->home.here, gate->home.there, &gate->home.ifindex);
}

/* Whether this process may at all: its devices may not be there before the change. */
static int may_probe(void)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int rt_gate_new(struct rt_gate **result, const struct rt_attempt *attempt)
{
	struct rt_gate *gate = cni_new(attempt->session->arena, struct rt_gate);
	int rc;

	gate->nl = attempt->nl;
	gate->any = epoll_create1(EPOLL_CLOEXEC);
	if (gate->any < 0)
		return -errno;
	for (size_t i = 0; attempt->model && i < attempt->model->n_targets; i++)
		add_probes(gate, attempt, &attempt->model->targets[i]);
	find_home(gate);
	rc = gate->n_probes ? may_probe() : 0;
	if (rc) {
		close(gate->any);
		return rc;
	}
	if (!gate->n_probes)
		rt_say(attempt->session, "the gate: nothing is tracked%s",
		       gate->home.is_known ? "" : ", and this is no ssh session: there is nothing to prove");
	*result = gate;
	return 0;
}

void rt_gate_free(struct rt_gate *gate)
{
	for (size_t i = 0; gate && i < gate->n_probes; i++)
		rt_echo_close(&gate->probes[i].echo);
	if (gate)
		close(gate->any);
}

/* ---- probing ---- */

int rt_gate_fd(const struct rt_gate *gate)
{
	return gate ? gate->any : -1;
}

static int64_t due(const struct probe *p)
{
	return p->echo.waiting ? p->until : p->next;
}

int rt_gate_next(const struct rt_gate *gate)
{
	int64_t now = now_ms(), first = now + 1000;

	if (!gate)
		return -1;
	for (size_t i = 0; i < gate->n_probes; i++)
		if (due(&gate->probes[i]) < first)
			first = due(&gate->probes[i]);
	return first > now ? (int)(first - now) : 0;
}

/* Its device or address may come only with the change, or a moment after: so it is tried again each time. */
static void question(struct rt_gate *gate, struct probe *p, int64_t now)
{
	struct epoll_event event = { .events = EPOLLIN };

	p->next = now + p->target->track.every;
	p->until = now + p->target->track.timeout;
	p->error = 0;
	if (p->echo.fd < 0) {
		p->error = rt_echo_open(&p->echo, p->address, &p->way);
		if (!p->error && epoll_ctl(gate->any, EPOLL_CTL_ADD, p->echo.fd, &event)) {
			p->error = -errno;
			rt_echo_close(&p->echo);
		}
	}
	if (!p->error)
		p->error = rt_echo_send(&p->echo);
	if (p->error) {
		p->echo.waiting = false;
		p->row = 0;
	}
}

static void look_at(struct rt_gate *gate, struct probe *p, int64_t now)
{
	if (p->echo.fd >= 0 && rt_echo_receive(&p->echo))
		p->row++;
	if (p->echo.waiting && now >= p->until) {
		p->echo.waiting = false;
		p->row = 0;
	}
	if (!p->echo.waiting && now >= p->next)
		question(gate, p, now);
}

static bool is_home_reached(const struct rt_gate *gate)
{
	const struct home *home = &gate->home;
	unsigned int ifindex;

	return !home->is_known ||
	       (!rt_route_to(gate->nl, home->here, home->there, &ifindex) && ifindex == home->ifindex);
}

bool rt_gate_look(struct rt_gate *gate)
{
	bool all = true;

	for (size_t i = 0; i < gate->n_probes; i++) {
		struct probe *p = &gate->probes[i];

		look_at(gate, p, now_ms());
		all = all && p->row >= p->target->track.up;
	}
	return all && is_home_reached(gate);
}

void rt_gate_report(const struct rt_gate *gate, struct cni_diags *diags)
{
	char address[CNI_ADDR_TEXT];

	for (size_t i = 0; i < gate->n_probes; i++) {
		const struct probe *p = &gate->probes[i];

		if (p->row >= p->target->track.up)
			continue;
		cni_addr_format(p->address, address);
		if (p->error)
			cni_diag(diags, CNI724, (struct cni_span){ 0 }, "%s: nothing can be sent to %s: %s",
				 p->target->name, address, strerror(-p->error));
		else
			cni_diag(diags, CNI724, (struct cni_span){ 0 }, "%s: %s answered %u times in a row of %u",
				 p->target->name, address, p->row, p->target->track.up);
	}
	if (!is_home_reached(gate)) {
		cni_addr_format(gate->home.there, address);
		cni_diag(diags, CNI724, (struct cni_span){ 0 },
			 "the way to %s, from where this was called, is another than before", address);
	}
}
