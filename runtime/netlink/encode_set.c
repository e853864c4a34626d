/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encode_set.c - sets and their elements, which are written straight into the batch: there may be millions. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "runtime/netlink/encode.h"
#include "runtime/netlink/nft.h"

#define LIST_MAX (60 * 1024) /* of one message's elements: the list is an attribute, which ends at 64 KiB */

/* What nft keeps beside a set, to print its keys by (libnftnl, udata.h; enum byteorder of nft). */
enum { UDATA_KEY_ORDER = 0, UDATA_DATA_ORDER = 1, UDATA_DATA_INTERVAL = 6 };
enum { ORDER_INVALID = 0, ORDER_HOST = 1, ORDER_NETWORK = 2 };
/* ... and beside an element: this range has no end element, since it reaches the highest key. */
enum { UDATA_ELEMENT_FLAGS = 1, INTERVAL_OPEN = 1 };

static size_t put_number(uint8_t *udata, uint8_t type, uint32_t value)
{
	udata[0] = type;
	udata[1] = sizeof(value);
	memcpy(udata + 2, &value, sizeof(value));
	return 2 + sizeof(value);
}

static uint32_t order_of(const struct cni_st_set *set)
{
	if (set->n_fields > 1)
		return ORDER_INVALID;
	return cni_key_info[set->fields[0]].host_order || set->fields[0] == CNI_KEY_IFNAME ? ORDER_HOST : ORDER_NETWORK;
}

static void put_udata(struct nlmsghdr *message, const struct cni_st_set *set)
{
	uint8_t udata[3 * 6];
	size_t len = put_number(udata, UDATA_KEY_ORDER, order_of(set));

	if (set->map) {
		len += put_number(udata + len, UDATA_DATA_ORDER, ORDER_INVALID);
		len += put_number(udata + len, UDATA_DATA_INTERVAL, 0);
	}
	mnl_attr_put(message, NFTA_SET_USERDATA, len, udata);
}

/* The kernel cuts a key of ranges into its fields. */
static void put_fields(struct nlmsghdr *message, const struct cni_st_set *set)
{
	struct nlattr *desc = mnl_attr_nest_start(message, NFTA_SET_DESC);
	struct nlattr *fields = mnl_attr_nest_start(message, NFTA_SET_DESC_CONCAT);

	for (size_t i = 0; i < set->n_fields; i++) {
		struct nlattr *field = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

		mnl_attr_put_u32(message, NFTA_SET_FIELD_LEN, htonl(cni_key_info[set->fields[i]].len));
		mnl_attr_nest_end(message, field);
	}
	mnl_attr_nest_end(message, fields);
	mnl_attr_nest_end(message, desc);
}

/* A size makes the kernel choose its hash table once, which halves the time to fill it; but it is also a limit, so
 * that a set whose elements change has none. */
static void put_size(struct nlmsghdr *message, const struct cni_st_set *set)
{
	struct nlattr *desc;

	if (set->interval || set->comments || !set->n_elems)
		return;
	desc = mnl_attr_nest_start(message, NFTA_SET_DESC);
	mnl_attr_put_u32(message, NFTA_SET_DESC_SIZE, htonl((uint32_t)set->n_elems));
	mnl_attr_nest_end(message, desc);
}

void rt_nft_set(struct rt_writer *w, const struct cni_st_set *set, bool add)
{
	struct nlmsghdr *message =
		rt_nft_message(w, add ? NFT_MSG_NEWSET : NFT_MSG_DELSET, add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	uint32_t type = 0, flags = set->map ? NFT_SET_MAP : 0;

	mnl_attr_put_strz(message, NFTA_SET_NAME, set->name);
	if (!add)
		return;
	if (!set->n_fields)
		rt_writer_fail(w, -ENOTSUP);
	for (size_t i = 0; i < set->n_fields; i++)
		type = type << 6 | cni_key_info[set->fields[i]].nft_type;
	if (set->interval)
		flags |= NFT_SET_INTERVAL | (cni_set_is_boxes(set) ? NFT_SET_CONCAT : 0);
	mnl_attr_put_u32(message, NFTA_SET_FLAGS, htonl(flags));
	mnl_attr_put_u32(message, NFTA_SET_KEY_TYPE, htonl(type));
	mnl_attr_put_u32(message, NFTA_SET_KEY_LEN, htonl(set->key_len));
	if (set->map) {
		mnl_attr_put_u32(message, NFTA_SET_DATA_TYPE, htonl(NFT_DATA_VERDICT));
		mnl_attr_put_u32(message, NFTA_SET_DATA_LEN, 0);
	}
	/* rules and elements say the name; the kernel only wants the numbers of one batch to differ */
	mnl_attr_put_u32(message, NFTA_SET_ID, htonl((uint32_t)w->batch->n));
	if (cni_set_is_boxes(set))
		put_fields(message, set);
	else
		put_size(message, set);
	put_udata(message, set);
}

/* ---- elements ---- */

struct list {
	struct rt_writer *w;
	const struct cni_st_set *set;
	struct nlmsghdr *message;
	struct nlattr *nest;
};

static struct nlmsghdr *put_set_name(struct rt_writer *w, const struct cni_st_set *set, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = rt_nft_message(w, type, flags);

	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set->name);
	return message;
}

static void end_list(struct list *list)
{
	if (list->message)
		mnl_attr_nest_end(list->message, list->nest);
}

/* A message with room for one more element. */
static struct nlmsghdr *room(struct list *list)
{
	char *tail = list->message ? mnl_nlmsg_get_payload_tail(list->message) : NULL;

	if (!list->message || tail - (char *)list->nest > LIST_MAX) {
		end_list(list);
		list->message = put_set_name(list->w, list->set, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL);
		list->nest = mnl_attr_nest_start(list->message, NFTA_SET_ELEM_LIST_ELEMENTS);
	}
	return list->message;
}

static void put_key(struct nlmsghdr *message, uint16_t attribute, const struct cni_st_set *set, const uint8_t *key)
{
	struct nlattr *nest = mnl_attr_nest_start(message, attribute);

	mnl_attr_put(message, NFTA_DATA_VALUE, set->key_len, key);
	mnl_attr_nest_end(message, nest);
}

static void put_verdict(struct nlmsghdr *message, const struct cni_st_verdict *verdict)
{
	struct nlattr *data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);

	mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl((uint32_t)verdict->code));
	if (verdict->code == NFT_GOTO || verdict->code == NFT_JUMP)
		mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, verdict->chain);
	mnl_attr_nest_end(message, nest);
	mnl_attr_nest_end(message, data);
}

/* False: there is no next key. */
static bool next_key(const struct cni_st_set *set, const uint8_t *key, uint8_t *next)
{
	size_t i = set->key_len;

	memcpy(next, key, set->key_len);
	while (i--)
		if (++next[i])
			return true;
	return false;
}

static void put_end(struct list *list, const uint8_t *key)
{
	struct nlmsghdr *message = room(list);
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	mnl_attr_put_u32(message, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	put_key(message, NFTA_SET_ELEM_KEY, list->set, key);
	mnl_attr_nest_end(message, nest);
}

static void put_element(struct list *list, size_t i)
{
	const struct cni_st_set *set = list->set;
	const uint8_t *key = set->keys + i * cni_set_stride(set);
	uint8_t end[CNI_KEY_FIELDS * 16], udata[RT_COMMENT_MAX + 16];
	const bool boxes = cni_set_is_boxes(set), apart = set->interval && !boxes;
	bool has_end = apart && next_key(set, key + set->key_len, end);
	struct nlmsghdr *message = room(list);
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
	size_t len = 0;

	put_key(message, NFTA_SET_ELEM_KEY, set, key);
	if (boxes)
		put_key(message, NFTA_SET_ELEM_KEY_END, set, key + set->key_len);
	if (set->map)
		put_verdict(message, &set->verdicts[i]);
	if (set->comments && set->comments[i] && *set->comments[i])
		len = rt_udata_comment(list->w, udata, set->comments[i]);
	if (apart && !has_end)
		len += put_number(udata + len, UDATA_ELEMENT_FLAGS, INTERVAL_OPEN);
	if (len)
		mnl_attr_put(message, NFTA_SET_ELEM_USERDATA, len, udata);
	mnl_attr_nest_end(message, nest);
	if (has_end)
		put_end(list, end);
}

void rt_nft_elements(struct rt_writer *w, const struct cni_st_set *set)
{
	struct list list = { .w = w, .set = set };

	if (!set->n_fields || set->unread) /* what it held was not read */
		rt_writer_fail(w, -ENOTSUP);
	for (size_t i = 0; i < set->n_elems; i++)
		put_element(&list, i);
	end_list(&list);
}

void rt_nft_empty(struct rt_writer *w, const struct cni_st_set *set)
{
	put_set_name(w, set, NFT_MSG_DELSETELEM, 0);
}
