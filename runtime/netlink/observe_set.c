/* SPDX-License-Identifier: GPL-2.0-or-later */
/* observe_set.c - the elements of a set. There may be millions: no allocation for one alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/netlink/nft.h"
#include "runtime/netlink/observe.h"

/* An element as the kernel gives it: the start of an interval, or its end, which is the first key outside. */
struct raw {
	uint32_t key; /* number of its key in reading->keys */
	bool is_end;
	struct cni_st_verdict verdict;
	const char *comment;
};

struct reading {
	struct rt_observation *obs;
	struct cni_st_set *set;
	size_t size; /* of a key, or of both ends of a box */
	unsigned char *keys; /* one behind the other, `size` bytes each */
	size_t room; /* in keys */
	struct raw *raw;
	size_t n_raw, room_raw;
	const char **chains; /* names met so far, open addressing; a power of two */
	size_t n_chains, room_chains;
	bool catch_all; /* it has an element for all other keys: not one of ours */
};

static bool grow(void **items, size_t *room, size_t n, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *p;

	if (n < *room)
		return true;
	p = realloc(*items, more * size);
	if (!p)
		return false;
	*items = p;
	*room = more;
	return true;
}

static size_t slot_of(const struct reading *r, const char *name)
{
	size_t hash = 5381;

	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	while (r->chains[hash & (r->room_chains - 1)] && strcmp(r->chains[hash & (r->room_chains - 1)], name))
		hash++;
	return hash & (r->room_chains - 1);
}

/* One copy of each name: a map of a million elements leads to a few chains. */
static const char *intern(struct reading *r, const char *name)
{
	size_t slot;

	if (r->n_chains * 2 >= r->room_chains) {
		struct reading bigger = *r;

		bigger.room_chains = r->room_chains ? r->room_chains * 2 : 64;
		bigger.chains = cni_new_array(r->obs->arena, const char *, bigger.room_chains);
		for (size_t i = 0; i < r->room_chains; i++)
			if (r->chains[i])
				bigger.chains[slot_of(&bigger, r->chains[i])] = r->chains[i];
		*r = bigger;
	}
	slot = slot_of(r, name);
	if (!r->chains[slot]) {
		r->chains[slot] = cni_strdup(r->obs->arena, name);
		r->n_chains++;
	}
	return r->chains[slot];
}

const char *rt_comment(struct cni_arena *arena, const struct nlattr *udata)
{
	const unsigned char *at = udata ? mnl_attr_get_payload(udata) : NULL;
	size_t left = udata ? mnl_attr_get_payload_len(udata) : 0;

	while (left >= 2 && left - 2 >= at[1]) {
		if (at[0] == RT_UDATA_COMMENT)
			return cni_strndup(arena, (const char *)at + 2, strnlen((const char *)at + 2, at[1]));
		left -= 2u + at[1];
		at += 2 + at[1];
	}
	return NULL;
}

/* To `offset` of the next key's room. */
static bool read_key(struct reading *r, const struct nlattr *nest, size_t offset)
{
	const struct nlattr *key[NFTA_DATA_MAX + 1], *value;

	rt_attrs_few(key, NFTA_DATA_MAX + 1, nest);
	value = key[NFTA_DATA_VALUE];
	if (!value || mnl_attr_get_payload_len(value) != r->set->key_len)
		return false;
	memcpy(r->keys + r->n_raw * r->size + offset, mnl_attr_get_payload(value), r->set->key_len);
	return true;
}

static void read_verdict(struct reading *r, const struct nlattr *nest, struct cni_st_verdict *to)
{
	const struct nlattr *data[NFTA_DATA_MAX + 1], *verdict[NFTA_VERDICT_MAX + 1];

	rt_attrs_few(data, NFTA_DATA_MAX + 1, nest);
	rt_attrs_few(verdict, NFTA_VERDICT_MAX + 1, data[NFTA_DATA_VERDICT]);
	to->code = (int32_t)rt_be32(verdict[NFTA_VERDICT_CODE], 0);
	if (verdict[NFTA_VERDICT_CHAIN])
		to->chain = intern(r, rt_string(verdict[NFTA_VERDICT_CHAIN]));
}

static int read_element(struct reading *r, const struct nlattr *nest)
{
	const struct nlattr *at[NFTA_SET_ELEM_MAX + 1];
	struct raw raw = { 0 };
	uint32_t flags;

	rt_attrs_few(at, NFTA_SET_ELEM_MAX + 1, nest);
	flags = rt_be32(at[NFTA_SET_ELEM_FLAGS], 0);
	if (!at[NFTA_SET_ELEM_KEY] && flags & NFT_SET_ELEM_CATCHALL) {
		r->catch_all = true;
		return 0;
	}
	if (r->n_raw >= UINT32_MAX || !grow((void **)&r->keys, &r->room, r->n_raw, r->size) ||
	    !grow((void **)&r->raw, &r->room_raw, r->n_raw, sizeof(raw)))
		return -ENOMEM;
	if (!read_key(r, at[NFTA_SET_ELEM_KEY], 0) ||
	    (cni_set_is_boxes(r->set) && !read_key(r, at[NFTA_SET_ELEM_KEY_END], r->set->key_len)))
		return -EPROTO;
	raw.key = (uint32_t)r->n_raw;
	raw.is_end = flags & NFT_SET_ELEM_INTERVAL_END;
	if (r->set->map && !raw.is_end)
		read_verdict(r, at[NFTA_SET_ELEM_DATA], &raw.verdict);
	raw.comment = rt_comment(r->obs->arena, at[NFTA_SET_ELEM_USERDATA]);
	r->raw[r->n_raw++] = raw;
	return 0;
}

static int read_elements(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *element;
	struct reading *r = arg;
	struct rt_attrs attrs;
	int rc = 0;

	if (message->nlmsg_type != rt_nft_type(NFT_MSG_NEWSETELEM))
		return 0;
	rt_attrs(&attrs, message, sizeof(struct nfgenmsg));
	if (!attrs.at[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	mnl_attr_for_each_nested(element, attrs.at[NFTA_SET_ELEM_LIST_ELEMENTS]) rc =
		rc ? rc : read_element(r, element);
	return rc;
}

/* By key; where one interval ends and the next begins, the end comes first. */
static int by_key(const void *a, const void *b, void *arg)
{
	const struct reading *r = arg;
	const struct raw *x = a, *y = b;
	int order = memcmp(r->keys + x->key * r->size, r->keys + y->key * r->size, r->set->key_len);

	return order ? order : y->is_end - x->is_end;
}

/* The kernel walks sets of ranges from the highest key down. */
static void sort(struct reading *r)
{
	size_t n_falling = 1;

	while (n_falling < r->n_raw && by_key(&r->raw[n_falling], &r->raw[n_falling - 1], r) < 0)
		n_falling++;
	if (n_falling < r->n_raw) {
		qsort_r(r->raw, r->n_raw, sizeof(*r->raw), by_key, r);
		return;
	}
	for (size_t i = 0; i < r->n_raw / 2; i++) {
		const struct raw other = r->raw[i];

		r->raw[i] = r->raw[r->n_raw - 1 - i];
		r->raw[r->n_raw - 1 - i] = other;
	}
}

static void before(unsigned char *key, size_t len)
{
	while (len-- && key[len]-- == 0)
		;
}

static void put(struct reading *r, const struct raw *raw)
{
	struct cni_st_set *set = r->set;
	size_t i = set->n_elems++, len = set->key_len;

	memcpy(set->keys + i * cni_set_stride(set), r->keys + raw->key * r->size, r->size);
	if (set->interval && r->size == len) /* up to the highest key, unless an end follows */
		memset(set->keys + i * cni_set_stride(set) + len, 0xff, len);
	if (set->map)
		set->verdicts[i] = raw->verdict;
	if (raw->comment && !set->comments)
		set->comments = cni_new_array(r->obs->arena, const char *, r->n_raw);
	if (raw->comment)
		set->comments[i] = raw->comment;
}

/* Ends the last interval before the key of `raw`. */
static void end_at(struct reading *r, const struct raw *raw)
{
	size_t len = r->set->key_len;
	unsigned char *upper = r->set->keys + (r->set->n_elems - 1) * cni_set_stride(r->set) + len;

	memcpy(upper, r->keys + raw->key * len, len);
	before(upper, len);
}

static void finish(struct reading *r)
{
	struct cni_st_set *set = r->set;
	bool open = false;
	size_t n = 0;

	for (size_t i = 0; i < r->n_raw; i++)
		n += !r->raw[i].is_end;
	set->keys = cni_alloc(r->obs->arena, n * cni_set_stride(set) + 1);
	if (set->map)
		set->verdicts = cni_new_array(r->obs->arena, struct cni_st_verdict, n);
	for (size_t i = 0; i < r->n_raw; i++) {
		if (open && set->interval && r->size == set->key_len)
			end_at(r, &r->raw[i]);
		open = !r->raw[i].is_end; /* an end without a start is nft's mark of where the first one begins */
		if (open)
			put(r, &r->raw[i]);
	}
	for (size_t i = 0; set->comments && i < set->n_elems; i++)
		if (!set->comments[i])
			set->comments[i] = "";
}

int rt_observe_elements(struct rt_observation *obs, struct cni_st_set *set)
{
	struct reading r = { .obs = obs, .set = set, .size = cni_set_is_boxes(set) ? 2u * set->key_len : set->key_len };
	uint64_t space[128] = { 0 };
	struct nlmsghdr *request = mnl_nlmsg_put_header(space);
	struct nfgenmsg *family;
	int rc;

	request->nlmsg_type = rt_nft_type(NFT_MSG_GETSETELEM);
	request->nlmsg_flags = NLM_F_DUMP;
	family = mnl_nlmsg_put_extra_header(request, sizeof(*family));
	family->nfgen_family = NFPROTO_INET;
	mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_TABLE, CNI_TABLE);
	mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set->name);
	rc = rt_request(obs->nl, RT_NETFILTER, request, read_elements, &r);
	if (!rc && r.n_raw)
		sort(&r);
	if (!rc && r.catch_all)
		set->n_fields = 0;
	else if (!rc)
		finish(&r);
	free(r.raw);
	free(r.keys);
	return rc;
}
