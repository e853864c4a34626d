/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_nft.c - the table, counters, chains and rules. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <libnftnl/rule.h>

#include "compiler/emit/nft.h"
#include "runtime/netlink/encode.h"
#include "runtime/netlink/expr.h"
#include "runtime/netlink/nft.h"

static void put_frame(struct rt_writer *w, uint16_t type, uint32_t generation)
{
	struct nlmsghdr *message = rt_batch_add(w->batch, w->tag, type, 0, sizeof(struct nfgenmsg));
	struct nfgenmsg *family = mnl_nlmsg_get_payload(message);

	family->res_id = htons(NFNL_SUBSYS_NFTABLES);
	if (generation)
		mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(generation));
}

void rt_nft_begin(struct rt_writer *w, uint32_t generation)
{
	w->tag = RT_NO_TAG;
	put_frame(w, NFNL_MSG_BATCH_BEGIN, generation);
}

void rt_nft_end(struct rt_writer *w)
{
	w->tag = RT_NO_TAG;
	put_frame(w, NFNL_MSG_BATCH_END, 0);
}

struct nlmsghdr *rt_nft_message(struct rt_writer *w, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = rt_batch_add(w->batch, w->tag, rt_nft_type(type), flags, sizeof(struct nfgenmsg));
	struct nfgenmsg *family = mnl_nlmsg_get_payload(message);

	family->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, CNI_TABLE); /* attribute 1 of every kind of object */
	return message;
}

void rt_nft_table(struct rt_writer *w, bool add)
{
	rt_nft_message(w, add ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
}

size_t rt_udata_comment(struct rt_writer *w, uint8_t *room, const char *comment)
{
	size_t len = strlen(comment);

	if (len > RT_COMMENT_MAX) {
		rt_writer_fail(w, -E2BIG);
		return 0;
	}
	room[0] = RT_UDATA_COMMENT;
	room[1] = (uint8_t)(len + 1);
	memcpy(room + 2, comment, len + 1);
	return len + 3;
}

void rt_nft_counter(struct rt_writer *w, const struct cni_st_counter *counter, bool add)
{
	struct nlmsghdr *message =
		rt_nft_message(w, add ? NFT_MSG_NEWOBJ : NFT_MSG_DELOBJ, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	uint8_t udata[RT_COMMENT_MAX + 3];
	struct nlattr *data;

	mnl_attr_put_strz(message, NFTA_OBJ_NAME, counter->name);
	mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
	if (!add)
		return;
	if (counter->comment && *counter->comment)
		mnl_attr_put(message, NFTA_OBJ_USERDATA, rt_udata_comment(w, udata, counter->comment), udata);
	data = mnl_attr_nest_start(message, NFTA_OBJ_DATA);
	mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, 0);
	mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, 0);
	mnl_attr_nest_end(message, data);
}

void rt_nft_chain(struct rt_writer *w, const struct cni_st_chain *chain, bool add)
{
	struct nlmsghdr *message =
		rt_nft_message(w, add ? NFT_MSG_NEWCHAIN : NFT_MSG_DELCHAIN, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct nlattr *hook;

	mnl_attr_put_strz(message, NFTA_CHAIN_NAME, chain->name);
	if (!add || chain->type == CNI_HOOK_NONE)
		return;
	mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, cni_nft_chain_type(chain->type));
	hook = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
	mnl_attr_put_u32(message, NFTA_HOOK_HOOKNUM, htonl(chain->hook));
	mnl_attr_put_u32(message, NFTA_HOOK_PRIORITY, htonl((uint32_t)chain->priority));
	mnl_attr_nest_end(message, hook);
}

static void put_rule(struct rt_writer *w, const struct cni_st_chain *chain, const struct cni_st_rule_nft *rule)
{
	struct nlmsghdr *message = rt_nft_message(w, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	struct nftnl_rule *r = nftnl_rule_alloc();

	for (size_t i = 0; r && i < rule->n_exprs; i++) {
		struct nftnl_expr *expr = rt_expr_encode(&rule->exprs[i]);

		if (!expr)
			rt_writer_fail(w, -errno);
		else
			nftnl_rule_add_expr(r, expr);
	}
	if (!r || nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain->name))
		rt_writer_fail(w, -ENOMEM);
	else
		nftnl_rule_nlmsg_build_payload(message, r);
	if (r)
		nftnl_rule_free(r);
}

void rt_nft_rules(struct rt_writer *w, const struct cni_st_chain *chain)
{
	for (size_t i = 0; i < chain->n_rules; i++)
		put_rule(w, chain, &chain->rules[i]);
}

void rt_nft_flush(struct rt_writer *w, const struct cni_st_chain *chain)
{
	struct nlmsghdr *message = rt_nft_message(w, NFT_MSG_DELRULE, 0);

	mnl_attr_put_strz(message, NFTA_RULE_CHAIN, chain->name);
}
