/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proof_fuzz.c - libFuzzer target for what reads netlink messages for the proof: the decoders and the machine, on messages
 * as they would be sent, and on what a kernel tells that may tell anything.
 *
 * An input is a byte, "s" or "d", and then parts, each with its length in two bytes, low one first. Of "s" the first part
 * is rtnetlink's messages, and the second, third, and so on are nfnetlink's. Of "d" each part is the answer to a request of
 * the dump, in their order, and what is asked for beyond them has no answer but its end. */
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "compiler/arena.h"
#include "compiler/model.h"
#include "compiler/proof/proof.h"
#include "compiler/state.h"
#include "grammar/parse.h"
#include "runtime/netlink/netlink.h"
#include "runtime/proof/dump.h"
#include "runtime/proof/kept.h"

#define NODES 200000

static const char policy[] = "lan hq { device eth2; prefix 10.10.0.0/16, 2001:db8:10::/48; }\n"
			     "link a { kind pni; device eth1; address 192.0.2.11/31, 2001:db8:a::1/127; }\n"
			     "link b { kind internet; device eth3; address 198.51.100.2/30; }\n"
			     "policy p on eth2 {\n"
			     "	route web from 10.10.0.0/16 tcp dport { 80, 443-450 } via a then b else drop;\n"
			     "	route some to 203.0.113.0/24 via a weight 3, b weight 1 masquerade else main;\n"
			     "	else drop;\n"
			     "}\n";
static const char *const devices[] = { "eth1", "eth3", "eth2" };
static const uint32_t indexes[] = { 1, 2, 3 };

struct input {
	const uint8_t *data;
	size_t len;
};

/* The next part; of a length that it claims and has not, what there is. */
static struct input next_part(struct input *in)
{
	struct input part;

	if (in->len < 2)
		return (struct input){ in->data, 0 };
	part = (struct input){ in->data + 2, (size_t)in->data[0] | (size_t)in->data[1] << 8 };
	in->data += 2;
	in->len -= 2;
	if (part.len > in->len)
		part.len = in->len;
	in->data += part.len;
	in->len -= part.len;
	return part;
}

/* ---- a kernel that answers with the input ---- */

struct kernel {
	struct rt_transport transport;
	struct input in;
	uint32_t seq; /* of the request that is to be answered; 0: none is */
};

static int take(struct rt_transport *transport, enum rt_bus bus, const void *data, size_t len)
{
	const struct nlmsghdr *request = data;

	(void)bus;
	(void)len;
	((struct kernel *)transport)->seq = request->nlmsg_seq;
	return 0;
}

/* The part, as an answer to what was asked, and the end of the dump. */
static ssize_t answer(struct rt_transport *transport, enum rt_bus bus, void *buffer, size_t size)
{
	struct kernel *k = (struct kernel *)transport;
	const struct nlmsghdr end = { NLMSG_LENGTH(sizeof(int)), NLMSG_DONE, NLM_F_MULTI, k->seq, 0 };
	struct input part;
	size_t len;

	if (bus == RT_EVENTS || !k->seq)
		return 0;
	part = next_part(&k->in);
	len = part.len < size - NLMSG_SPACE(sizeof(int)) ? part.len : size - NLMSG_SPACE(sizeof(int));
	memset(buffer, 0, NLMSG_ALIGN(len) + NLMSG_SPACE(sizeof(int)));
	if (len)
		memcpy(buffer, part.data, len);
	for (size_t at = 0; at + sizeof(end) <= len;) {
		struct nlmsghdr *message = (struct nlmsghdr *)((char *)buffer + at);

		message->nlmsg_seq = k->seq;
		if (message->nlmsg_len < sizeof(end) || message->nlmsg_len > len - at)
			break;
		at += NLMSG_ALIGN(message->nlmsg_len);
	}
	len = NLMSG_ALIGN(len);
	memcpy((char *)buffer + len, &end, sizeof(end));
	k->seq = 0;
	return (ssize_t)(len + NLMSG_SPACE(sizeof(int)));
}

static int no_setting(struct rt_transport *transport, const char *path, int *value)
{
	(void)transport;
	(void)path;
	*value = 0;
	return 0;
}

static int set_nothing(struct rt_transport *transport, const char *path, int value)
{
	(void)transport;
	(void)path;
	(void)value;
	return 0;
}

static void close_it(struct rt_transport *transport)
{
	free(transport);
}

static bool dump(struct cni_arena *arena, struct input in, struct cni_messages *messages, struct cni_diags *diags)
{
	struct kernel *k = calloc(1, sizeof(*k));
	struct cni_st_link links[3] = { 0 };
	const struct cni_state observed = { .links = links, .n_links = 3 };
	struct rt_netlink *nl;
	int rc;

	k->transport = (struct rt_transport){ take, answer, no_setting, set_nothing, close_it };
	k->in = in;
	for (int i = 0; i < 3; i++) {
		links[i].name = devices[i];
		links[i].ifindex = i + 1;
	}
	nl = rt_netlink_new(&k->transport);
	rc = nl ? rt_dump(nl, arena, &observed, messages, diags) : -1;
	rt_netlink_free(nl);
	return !rc;
}

/* ---- messages as they would be sent ---- */

static void send_parts(struct cni_arena *arena, struct input in, struct cni_messages *messages)
{
	const struct input route = next_part(&in);
	struct rt_kept nft = { 0 };

	while (in.len > 2) {
		const struct input part = next_part(&in);

		if (part.len)
			rt_keep(arena, &nft, part.data, part.len);
	}
	*messages = (struct cni_messages){ .route = route.data,
					   .route_len = route.len,
					   .nft = nft.data,
					   .nft_len = nft.len,
					   .devices = devices,
					   .indexes = indexes,
					   .n_devices = 3 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_sources sources = { 0 };
	struct cni_ast ast = { 0 };
	struct cni_ast_decl **tail = &ast.decls;
	const struct cni_model *model;
	struct cni_messages messages = { 0 };
	struct cni_diags diags;
	bool good = true;

	cni_diags_init(&diags, arena);
	cni_parse(arena, cni_source_add(arena, &sources, "p.cni", policy, sizeof(policy) - 1), &diags, &tail);
	model = cni_resolve(arena, &ast, NULL, 0, &diags);
	if (size && *data == 'd')
		good = dump(arena, (struct input){ data + 1, size - 1 }, &messages, &diags);
	else if (size)
		send_parts(arena, (struct input){ data + 1, size - 1 }, &messages);
	if (good) {
		const struct cni_proof_limits limits = { .max_nodes = NODES };
		const struct cni_proof proof = cni_prove(arena, model, NULL, &messages, &limits, &diags);

		/* refused messages of our own are reported, those of a kernel are told by the answer */
		if (proof.answer == CNI_REFUTED && !messages.is_dump != !!diags.n_errors)
			abort();
		if (proof.answer == CNI_NOT_JUDGED && (!messages.is_dump || !proof.unclear))
			abort();
	}
	cni_arena_free(arena);
	return 0;
}
