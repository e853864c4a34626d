/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prober.c - see prober.h. */
#include "runtime/track/prober.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define IDS 65536
#define RECEIVE_BUFFER (8 << 20) /* bytes: some 10,000 answers, were the loop late by a second */
#define SEND_BUFFER (64 << 20) /* what waits for neighbours that do not answer counts too, and must not keep others */
#define AT_ONCE 64 /* answers a call */
#define ROUNDS 256 /* of calls: a flood must not keep us from our time */
#define ANSWER_MAX 128 /* bytes that are looked at: the longest header of IPv4, and an answer */

struct rt_prober {
	int fd[CNI_N_FAMILIES];
	void (*answered)(struct rt_aim *aim, uint64_t came, uint64_t rtt, void *arg);
	void *arg;
	struct rt_aim *by_id[IDS];
	size_t n_aims;
	uint64_t n_strays;
	uint64_t received[CNI_N_FAMILIES]; /* when all that had come was read */
	uint8_t random[1024];
	size_t n_random; /* bytes of it that were not used */
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t rt_track_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* From the kernel's generator, many at a time: a question needs 8. */
static int take_random(struct rt_prober *prober, void *to, size_t len)
{
	if (prober->n_random < len) {
		if (getrandom(prober->random, sizeof(prober->random), GRND_NONBLOCK) != sizeof(prober->random))
			return -EAGAIN;
		prober->n_random = sizeof(prober->random);
	}
	prober->n_random -= len;
	memcpy(to, prober->random + prober->n_random, len);
	return 0;
}

/* ---- sockets ---- */

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

static int open_socket(struct rt_prober *prober, enum cni_family family)
{
	const int fd = rt_echo_socket(family);
	int rc;

	prober->fd[family] = fd;
	if (fd < 0)
		return family == CNI_V6 && fd == -EAFNOSUPPORT ? 0 : fd;
	rc = family == CNI_V4 ? set(fd, IPPROTO_IP, IP_PKTINFO, 1) : set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (!rc)
		rc = set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	/* without the privilege, what the system allows must do */
	(void)set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
	(void)set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER);
	return rc;
}

int rt_prober_new(struct rt_prober **prober,
		  void (*answered)(struct rt_aim *aim, uint64_t came, uint64_t rtt, void *arg), void *arg)
{
	struct rt_prober *new = calloc(1, sizeof(*new));
	int rc = new ? 0 : -ENOMEM;

	*prober = new;
	if (rc)
		return rc;
	new->answered = answered;
	new->arg = arg;
	new->fd[CNI_V4] = new->fd[CNI_V6] = -1;
	for (enum cni_family f = 0; !rc && f < CNI_N_FAMILIES; f++)
		rc = open_socket(new, f);
	return rc;
}

void rt_prober_free(struct rt_prober *prober)
{
	if (!prober)
		return;
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (prober->fd[f] >= 0)
			close(prober->fd[f]);
	free(prober);
}

int rt_prober_fd(const struct rt_prober *prober, enum cni_family family)
{
	return prober->fd[family];
}

uint64_t rt_prober_strays(const struct rt_prober *prober)
{
	return prober->n_strays;
}

/* ---- addresses ---- */

struct rt_aim *rt_prober_add(struct rt_prober *prober, struct cni_addr target, uint64_t every, uint64_t timeout)
{
	const uint64_t open = timeout / every + 2;
	struct rt_aim *aim = prober->n_aims < IDS - 1 ? calloc(1, sizeof(*aim)) : NULL;

	if (!aim)
		return NULL;
	aim->target = target;
	aim->timeout = timeout < every * RT_QUESTIONS_MAX ? timeout : every * RT_QUESTIONS_MAX;
	for (aim->room = 4; aim->room < open && aim->room < 2 * RT_QUESTIONS_MAX;)
		aim->room *= 2;
	aim->questions = calloc(aim->room, sizeof(*aim->questions));
	if (!aim->questions || take_random(prober, &aim->id, sizeof(aim->id)) ||
	    take_random(prober, &aim->sequence, sizeof(aim->sequence))) {
		free(aim->questions);
		free(aim);
		return NULL;
	}
	while (!aim->id || prober->by_id[aim->id]) /* 0 is that of what is too short to have one */
		aim->id++;
	aim->oldest = aim->sequence;
	prober->by_id[aim->id] = aim;
	prober->n_aims++;
	return aim;
}

void rt_prober_remove(struct rt_prober *prober, struct rt_aim *aim)
{
	if (!aim)
		return;
	prober->by_id[aim->id] = NULL;
	prober->n_aims--;
	free(aim->questions);
	free(aim);
}

static struct rt_question *question_of(const struct rt_aim *aim, uint16_t sequence)
{
	return &aim->questions[sequence & (aim->room - 1)];
}

/* ---- asking ---- */

static void *put_control(struct msghdr *message, struct cmsghdr **at, int level, int type, size_t len)
{
	struct cmsghdr *control = *at;

	control->cmsg_level = level;
	control->cmsg_type = type;
	control->cmsg_len = CMSG_LEN(len);
	message->msg_controllen += CMSG_SPACE(len);
	*at = (struct cmsghdr *)((char *)control + CMSG_SPACE(len));
	return CMSG_DATA(control);
}

/* By which device, and from which address. */
static void put_way(struct msghdr *message, const struct rt_aim *aim)
{
	struct cmsghdr *at = message->msg_control;
	uint8_t bytes[16] = { 0 };

	if (aim->has_source)
		(void)cni_addr_to_bytes(aim->source, bytes);
	if (aim->target.family == CNI_V4) {
		struct in_pktinfo info = { .ipi_ifindex = (int)aim->ifindex };

		memcpy(&info.ipi_spec_dst, bytes, sizeof(info.ipi_spec_dst));
		memcpy(put_control(message, &at, IPPROTO_IP, IP_PKTINFO, sizeof(info)), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = aim->ifindex };

		memcpy(&info.ipi6_addr, bytes, sizeof(info.ipi6_addr));
		memcpy(put_control(message, &at, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(info)), &info, sizeof(info));
	}
	if (aim->mark)
		memcpy(put_control(message, &at, SOL_SOCKET, SO_MARK, sizeof(aim->mark)), &aim->mark,
		       sizeof(aim->mark));
}

static bool is_our_own(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EINTR;
}

int rt_prober_send(struct rt_prober *prober, struct rt_aim *aim)
{
	struct rt_question *question = question_of(aim, aim->sequence);
	struct rt_echo_words words = { .id = aim->id, .sequence = aim->sequence };
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t))] = { 0 };
	uint8_t packet[RT_ECHO_SIZE];
	struct iovec piece = { packet, sizeof(packet) };
	union rt_socket_address to;
	struct msghdr message = { .msg_name = &to, .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control };
	int rc = take_random(prober, words.cookie, sizeof(words.cookie));

	if (rc)
		return rc;
	if (!aim->ifindex)
		rc = -ENODEV;
	else if (prober->fd[aim->target.family] < 0)
		rc = -EAFNOSUPPORT;
	message.msg_namelen = rt_socket_address(aim->target, &to);
	if (aim->target.family == CNI_V6 && IN6_IS_ADDR_LINKLOCAL(&to.v6.sin6_addr))
		to.v6.sin6_scope_id = aim->ifindex;
	rt_echo_write(aim->target.family, &words, packet);
	put_way(&message, aim);
	*question = (struct rt_question){ .sent = rt_track_now(), .sequence = words.sequence, .state = RT_WAITING };
	memcpy(question->cookie, words.cookie, sizeof(words.cookie));
	if (!rc && sendmsg(prober->fd[aim->target.family], &message, MSG_DONTWAIT) < 0)
		rc = is_our_own(errno) ? -EAGAIN : -errno;
	question->state = rc ? RT_NOT_ASKED : RT_WAITING;
	if (rc == -EAGAIN)
		return rc;
	aim->sequence++;
	if ((uint16_t)(aim->sequence - aim->oldest) > aim->room)
		aim->oldest = (uint16_t)(aim->sequence - aim->room);
	aim->probe->n_sent++;
	return rc;
}

/* ---- answers ---- */

struct packet {
	struct cni_addr from;
	unsigned int ifindex;
	bool has_time;
	uint64_t time; /* CLOCK_REALTIME */
};

static struct packet read_control(struct msghdr *message)
{
	struct packet packet = { .from = rt_socket_addr(message->msg_name) };

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;
		struct timespec time;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			packet.ifindex = (unsigned int)v4.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			packet.ifindex = v6.ipi6_ifindex;
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&time, CMSG_DATA(c), sizeof(time));
			packet.has_time = true;
			packet.time = (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
		}
	}
	return packet;
}

static void take_answer(struct rt_prober *prober, const struct packet *packet, enum cni_family family,
			const uint8_t *data, size_t len, uint64_t came)
{
	struct rt_echo_words words;
	const bool whole = rt_echo_read(family, data, len, &words);
	struct rt_aim *aim = prober->by_id[words.id];
	struct rt_question *question;

	if (!aim || aim->target.family != family) {
		prober->n_strays++;
		return;
	}
	question = question_of(aim, words.sequence);
	if (!whole || !cni_addr_equal(packet->from, aim->target) || packet->ifindex != aim->ifindex ||
	    question->state == RT_NOT_ASKED || question->state == RT_ANSWERED || question->sequence != words.sequence ||
	    memcmp(question->cookie, words.cookie, sizeof(words.cookie)) != 0) {
		aim->probe->n_refused++;
		return;
	}
	came = came > question->sent ? came : question->sent;
	if (question->state == RT_LOST || came - question->sent > aim->timeout) {
		aim->probe->n_late++;
		return;
	}
	question->state = RT_ANSWERED;
	prober->answered(aim, came, came - question->sent, prober->arg);
}

/* When it came, by the clock that does not jump: its age cannot be more than the time since all was read. */
static uint64_t arrival(const struct packet *packet, uint64_t since, uint64_t now, uint64_t wall)
{
	if (!packet->has_time || packet->time > wall || wall - packet->time > now - since)
		return packet->has_time && packet->time > wall ? now : since;
	return now - (wall - packet->time);
}

static void receive(struct rt_prober *prober, enum cni_family family)
{
	union rt_socket_address from[AT_ONCE];
	char control[AT_ONCE][128] __attribute__((aligned(8)));
	uint8_t data[AT_ONCE][ANSWER_MAX];
	struct iovec pieces[AT_ONCE];
	struct mmsghdr messages[AT_ONCE];
	uint64_t now = 0, wall;
	int n = AT_ONCE;

	for (int round = 0; n == AT_ONCE && round < ROUNDS; round++) {
		for (int i = 0; i < AT_ONCE; i++) {
			pieces[i] = (struct iovec){ data[i], sizeof(data[i]) };
			messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
							       .msg_namelen = sizeof(from[i]),
							       .msg_iov = &pieces[i],
							       .msg_iovlen = 1,
							       .msg_control = control[i],
							       .msg_controllen = sizeof(control[i]) };
		}
		n = recvmmsg(prober->fd[family], messages, AT_ONCE, MSG_DONTWAIT, NULL);
		now = rt_track_now();
		wall = clock_ns(CLOCK_REALTIME);
		for (int i = 0; i < n; i++) {
			const struct packet packet = read_control(&messages[i].msg_hdr);

			/* what did not fit is no answer of ours: it stays too long */
			take_answer(prober, &packet, family, data[i],
				    messages[i].msg_len < ANSWER_MAX ? messages[i].msg_len : ANSWER_MAX,
				    arrival(&packet, prober->received[family], now, wall));
		}
	}
	prober->received[family] = n < AT_ONCE ? now : prober->received[family];
}

void rt_prober_receive(struct rt_prober *prober)
{
	for (enum cni_family f = 0; f < CNI_N_FAMILIES; f++)
		if (prober->fd[f] >= 0)
			receive(prober, f);
}

/* ---- what did not come ---- */

/* Past those that need no waiting any more. */
static struct rt_question *oldest(struct rt_aim *aim)
{
	while (aim->oldest != aim->sequence && question_of(aim, aim->oldest)->state != RT_WAITING)
		aim->oldest++;
	return aim->oldest == aim->sequence ? NULL : question_of(aim, aim->oldest);
}

bool rt_aim_overdue(struct rt_aim *aim, uint64_t now)
{
	struct rt_question *question = oldest(aim);

	if (!question || now < question->sent + aim->timeout)
		return false;
	question->state = RT_LOST;
	return true;
}

uint64_t rt_aim_deadline(struct rt_aim *aim)
{
	const struct rt_question *question = oldest(aim);

	return question ? question->sent + aim->timeout : UINT64_MAX;
}
