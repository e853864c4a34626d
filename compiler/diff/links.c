/* SPDX-License-Identifier: GPL-2.0-or-later */
/* links.c - steps for devices, their settings and addresses. */
#include <string.h>

#include "compiler/diff/diff.h"

/* ---- devices ---- */

static void report_missing(struct diff *d, const struct cni_st_link *want)
{
	struct cni_diag *diag = cni_diag(d->diags, CNI550, want->span, "there is no device `%s`", want->name);
	const char **names = cni_new_array(d->arena, const char *, d->observed->n_links + 1);
	const char *near;

	for (size_t i = 0; i < d->observed->n_links; i++)
		names[i] = d->observed->links[i].name;
	near = cni_did_you_mean(want->name, names);
	if (near)
		cni_diag_help(d->diags, diag, "did you mean `%s`?", near);
}

static void report_taken(struct diff *d, const struct cni_st_link *has, const struct cni_st_link *want)
{
	struct cni_diag *diag;

	if (want->type == CNI_DEV_VLAN && has->type == CNI_DEV_VLAN) {
		diag = cni_diag(d->diags, CNI552, want->span, "device `%s` exists and is another one", want->name);
		cni_diag_label(d->diags, diag,
			       "it is VLAN %u of `%s` with mtu %u, wanted is VLAN %u of `%s` with mtu %u", has->vlan,
			       has->parent, has->mtu, want->vlan, want->parent, want->mtu);
	} else {
		diag = cni_diag(d->diags, CNI551, want->span, "device `%s` exists and is not cnic's", want->name);
		cni_diag_label(d->diags, diag, "wanted as a device of type %s", want->kind);
	}
	cni_diag_help(d->diags, diag, "choose another name, or remove the device: ip link delete %s", has->name);
}

/* An identical VLAN child that somebody else made is used. Whether it is up is for its maker to say. */
static bool is_usable(const struct cni_st_link *has, const struct cni_st_link *want)
{
	struct cni_st_link ours = *has;

	ours.up = want->up;
	return want->type == CNI_DEV_VLAN && cni_link_same(&ours, want);
}

/* But for the MTU, and whether it is up. */
static bool is_as_before(const struct cni_st_link *before, const struct cni_st_link *after)
{
	struct cni_st_link there = *before;

	there.mtu = after->mtu;
	there.up = after->up;
	return cni_link_same(&there, after);
}

static const char *link_disturbs(struct diff *d, const struct cni_st_link *before, const struct cni_st_link *after)
{
	if (!before->up)
		return NULL; /* nothing passes it */
	if (!cni_addr_equal(before->local, after->local) || !cni_addr_equal(before->remote, after->remote) ||
	    before->has_key != after->has_key || before->key != after->key || before->csum != after->csum ||
	    before->seq != after->seq)
		return cni_printf(d->arena, "what passes %s is lost until the far end changes too", after->name);
	if (after->mtu && after->mtu < before->mtu)
		return cni_printf(d->arena, "packets over %u bytes no longer fit through %s", after->mtu, after->name);
	/* the kernel takes a tunnel out of its table, and puts it back, for any change but one of these */
	if (after->type == CNI_DEV_VLAN || is_as_before(before, after))
		return NULL;
	return cni_printf(d->arena, "what arrives by %s at the moment of the change may be lost", after->name);
}

void diff_link(struct diff *d, const struct cni_st_link *before, const struct cni_st_link *after)
{
	const char *name = before ? before->name : after->name;
	enum remake how = diff_remade(d, name);
	const char *stops = cni_printf(d->arena, "what passes %s is lost until it is made again", name);
	bool has = before && before->owned, want = after && after->owned;

	if (after && !want) {
		if (!before)
			report_missing(d, after);
		return;
	}
	if (want && before && !has) {
		if (!is_usable(before, after))
			report_taken(d, before, after);
		return;
	}
	if (!has && !want)
		return;
	if (how == REMAKE_SPLIT) {
		if (has)
			diff_step(d, CNI_IN_PLACE, P_LINK_OFF, CNI_LINK, CNI_DELETE, before, NULL, before->span, stops);
		if (want)
			diff_step(d, CNI_IN_PLACE, P_LINK_ON, CNI_LINK, CNI_ADD, NULL, after, after->span, NULL);
	} else if (!want) {
		diff_step(d, CNI_CONTRACT, C_LINK, CNI_LINK, CNI_DELETE, before, NULL, before->span, NULL);
	} else if (!has) {
		diff_step(d, CNI_EXPAND, after->type == CNI_DEV_VLAN ? X_VLAN : X_TUNNEL, CNI_LINK, CNI_ADD, NULL,
			  after, after->span, NULL);
	} else if (how == REMAKE_REPLACE) {
		diff_step(d, CNI_IN_PLACE, P_LINK, CNI_LINK, CNI_REPLACE, before, after, after->span, stops);
	} else if (!cni_link_same(before, after)) {
		/* one that is down can take new routes only once it is up, and nothing passes it until then */
		diff_step(d, before->up ? CNI_IN_PLACE : CNI_EXPAND, before->up ? P_LINK : X_TUNNEL, CNI_LINK,
			  CNI_CHANGE, before, after, after->span, link_disturbs(d, before, after));
	}
}

/* ---- settings ---- */

/* Of one that is changed while packets pass. */
static const char *setting_disturbs(struct diff *d, const struct cni_st_setting *before,
				    const struct cni_st_setting *after)
{
	if (after->key == CNI_SET_MULTIPATH_HASH || after->key == CNI_SET_MULTIPATH_HASH6)
		return "flows over routes with several next hops may move to another one of them";
	if (after->key != CNI_SET_RP_FILTER || !after->value || before->value == 1)
		return NULL;
	return cni_printf(d->arena, "what comes in by %s is dropped where %s", after->device,
			  after->value == 1 ? "the way back to its source is by another device"
					    : "no route leads back to its source");
}

static void restore(struct diff *d, const struct cni_st_setting *before)
{
	struct cni_st_setting *after = cni_new(d->arena, struct cni_st_setting);

	*after = *before;
	after->value = before->former;
	after->has_former = false;
	diff_step(d, CNI_CONTRACT, C_SETTING, CNI_SETTING, CNI_CHANGE, before, after, (struct cni_span){ 0 }, NULL);
}

void diff_setting(struct diff *d, const struct cni_st_setting *before, const struct cni_st_setting *after)
{
	const char *device = before ? before->device : after->device;
	bool had = diff_owns_device(d->observed, device), has = diff_owns_device(d->desired, device);
	bool remade = diff_remade(d, device) >= REMAKE_REPLACE;

	if (before && had && (remade || !diff_find_link(d->desired, device)))
		/* goes with its device */
		diff_step(d, remade ? CNI_IN_PLACE : CNI_CONTRACT, remade ? P_SETTING_OFF : C_SETTING, CNI_SETTING,
			  CNI_DELETE, before, NULL, before->span, NULL);
	if (!after) {
		if (!had && before->has_former && before->value != before->former)
			restore(d, before);
	} else if (remade || !before) {
		bool fresh = has && !remade && !diff_find_link(d->observed, device);

		diff_step(d, fresh ? CNI_EXPAND : CNI_IN_PLACE, fresh ? X_SETTING : P_SETTING, CNI_SETTING, CNI_ADD,
			  NULL, after, after->span, NULL);
	} else if (before->value != after->value) {
		bool last = !d->desired->has_table; /* a router without a policy: put back behind everything */

		diff_step(d, last ? CNI_CONTRACT : CNI_IN_PLACE, last ? C_SETTING : P_SETTING, CNI_SETTING, CNI_CHANGE,
			  before, after, after->span, last ? NULL : setting_disturbs(d, before, after));
	}
}

/* ---- addresses ---- */

/* Whether one that stays may be secondary to one of ours that goes, and would go with it: then both are made anew. */
static bool may_be_secondary(const struct diff *d, const struct cni_st_addr *addr)
{
	for (size_t i = 0; i < d->observed->n_addrs; i++) {
		const struct cni_st_addr *other = &d->observed->addrs[i];

		if (other->owned && cni_addr_cmp(other, addr) && !strcmp(other->device, addr->device) &&
		    other->address.len == addr->address.len && cni_prefix_has(other->address, addr->address.addr) &&
		    !diff_find_addr(d->desired, other))
			return true;
	}
	return false;
}

void diff_addr(struct diff *d, const struct cni_st_addr *before, const struct cni_st_addr *after)
{
	const struct cni_st_addr *any = before ? before : after;
	enum remake remade = diff_remade(d, any->device);
	/* moving an IPv4 address leaves those of IPv6 alone */
	enum remake how = remade == REMAKE_ADDRESS && any->address.addr.family == CNI_V6 ? REMAKE_NOT : remade;
	bool has = before && before->owned, want = after && after->owned;
	bool stays = before && after && how < REMAKE_REPLACE &&
		     !(how == REMAKE_ADDRESS && has && want && may_be_secondary(d, before));
	const char *pauses =
		how != REMAKE_ADDRESS || !has
			? NULL
			: cni_printf(d->arena, "the routes over %s wait for its new address", before->device);

	if (stays || (want && before && !has))
		return; /* there, and whoever put it there keeps it */
	if (has)
		diff_step(d, how ? CNI_IN_PLACE : CNI_CONTRACT, how ? P_ADDR_OFF : C_ADDR, CNI_ADDR, CNI_DELETE, before,
			  NULL, before->span, pauses);
	if (want)
		diff_step(d, how ? CNI_IN_PLACE : CNI_EXPAND, how ? P_ADDR : X_ADDR, CNI_ADDR, CNI_ADD, NULL, after,
			  after->span, NULL);
}
