/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probes.c - `health` (how the far side probes us), `track` (how we probe) and `bgp` (the outer packet's). */
#include <string.h>

#include "compiler/resolve/resolve.h"

/* ---- health ---- */

static const struct cni_word directions[] = {
	{ "unidirectional", CNI_HEALTH_UNI },
	{ "bidirectional", CNI_HEALTH_BI },
	{ 0 },
};
static const struct cni_word types[] = { { "request", CNI_HEALTH_REQUEST }, { "reply", CNI_HEALTH_REPLY }, { 0 } };
static const struct cni_word rates[] = {
	{ "low", CNI_RATE_LOW },
	{ "mid", CNI_RATE_MID },
	{ "high", CNI_RATE_HIGH },
	{ 0 },
};
static const struct cni_word health_words[] = { { "legacy", CNI_HEALTH_LEGACY }, { "off", CNI_HEALTH_OFF }, { 0 } };

static const struct cni_field health_rows[] = {
	{ .name = "direction",
	  .read = cni_read_choice,
	  CNI_AT(struct cni_health, mode),
	  .words = directions,
	  .mandatory = true },
	{ .name = "type", .read = cni_read_choice, CNI_AT(struct cni_health, type), .words = types, .mandatory = true },
	{ .name = "rate", .read = cni_read_choice, CNI_AT(struct cni_health, rate), .words = rates },
	{ .name = "target",
	  .read = cni_read_addr,
	  CNI_AT(struct cni_health, target),
	  .has = offsetof(struct cni_health, has_target) },
};
static const struct cni_block health_block = CNI_BLOCK("health block", health_rows);

static const struct cni_field legacy_rows[] = {
	{ .name = "target",
	  .read = cni_read_addr,
	  CNI_AT(struct cni_health, target),
	  .has = offsetof(struct cni_health, has_target),
	  .mandatory = true },
};
static const struct cni_block legacy_block = CNI_BLOCK("legacy health block", legacy_rows);

void cni_read_health(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object)
{
	struct cni_health *health = &((struct cni_draft *)object)->target.health;
	struct cni_item item;
	uint64_t mode;

	(void)row;
	if (!field->values) {
		health->mode = CNI_HEALTH_UNI; /* stays only where the mandatory `direction` is missing or wrong */
		cni_read_block(r, &health_block, field->block, field->name.span, NULL, health);
		return;
	}
	if (!cni_field_one(r, field, &item) || !cni_value_choice(r, &item, "`health`", health_words, &mode))
		return;
	health->mode = (enum cni_health_mode)mode;
	if (field->has_block != (mode == CNI_HEALTH_LEGACY))
		cni_diag(r->diags, CNI128, field->span, "`health %s` takes %s block", item.value->text,
			 field->has_block ? "no" : "a");
	else if (field->has_block)
		cni_read_block(r, &legacy_block, field->block, field->name.span, NULL, health);
}

/* ---- track ---- */

#define SECOND 1000u
#define HOUR (3600u * SECOND)

static const struct cni_word track_words[] = { { "off", CNI_TRACK_OFF }, { 0 } };

static void read_targets(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
			 void *object)
{
	struct cni_track *track = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_COMMAS, &items);
	struct cni_addr addr;

	(void)row;
	for (size_t i = 0; i < n; i++)
		if (cni_value_addr(r, &items[i], "`target`", &addr))
			*cni_push(r->arena, track->targets, track->n_targets) = addr;
}

/* `loss 5% over 10s` */
static void read_loss(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		      void *object)
{
	struct cni_track *track = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_WORDS, &items);
	uint64_t over;

	if (n != 3 || items[0].value->kind != CNI_VALUE_PERCENT || !cni_is_word(&items[1], "over")) {
		cni_field_count(r, field, "a threshold and a time: `loss 5% over 10s`");
		return;
	}
	if (!items[0].value->lo || items[0].value->lo > 100000) {
		cni_bad_value(r, CNI124, &items[0], "`loss` is more than 0%% and at most 100%%");
		return;
	}
	if (!cni_value_duration(r, &items[2], "`over`", row->lo, row->hi, &over))
		return;
	track->has_loss = true;
	track->loss = (unsigned int)items[0].value->lo;
	track->loss_over = (unsigned int)over;
}

static const struct cni_field track_rows[] = {
	{ .name = "target", .read = read_targets },
	{ .name = "source",
	  .read = cni_read_addr,
	  CNI_AT(struct cni_track, source),
	  .has = offsetof(struct cni_track, has_source) },
	{ .name = "every", .read = cni_read_duration, CNI_AT(struct cni_track, every), .lo = 10, .hi = HOUR },
	{ .name = "timeout", .read = cni_read_duration, CNI_AT(struct cni_track, timeout), .lo = 10, .hi = HOUR },
	{ .name = "hold", .read = cni_read_duration, CNI_AT(struct cni_track, hold), .lo = 0, .hi = 24 * HOUR },
	{ .name = "down", .read = cni_read_number, CNI_AT(struct cni_track, down), .lo = 1, .hi = 1000 },
	{ .name = "up", .read = cni_read_number, CNI_AT(struct cni_track, up), .lo = 1, .hi = 1000 },
	{ .name = "passive", .read = cni_read_flag, CNI_AT(struct cni_track, passive) },
	{ .name = "loss", .read = read_loss, .lo = SECOND, .hi = HOUR },
};
static const struct cni_block track_block = CNI_BLOCK("track block", track_rows);

void cni_read_track(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		    void *object)
{
	struct cni_track *track = &((struct cni_draft *)object)->target.track;
	struct cni_item item;
	uint64_t mode;

	(void)row;
	if (!field->has_block) {
		if (cni_field_one(r, field, &item) && cni_value_choice(r, &item, "`track`", track_words, &mode))
			track->mode = (enum cni_track_mode)mode;
		return;
	}
	if (field->values)
		cni_diag(r->diags, CNI128, field->span, "nothing belongs between `track` and its block");
	track->mode = CNI_TRACK_ON;
	cni_read_block(r, &track_block, field->block, field->name.span, NULL, track);
}

void cni_finish_track(struct cni_resolver *r, struct cni_target *target)
{
	struct cni_track *track = &target->track;
	const struct cni_ast_field *written;

	track->every = track->every ? track->every : SECOND;
	track->timeout = track->timeout ? track->timeout : track->every;
	track->down = track->down ? track->down : 3;
	track->up = track->up ? track->up : 5;
	if (track->mode != CNI_TRACK_ON || track->n_targets)
		return;
	for (int f = 0; f < CNI_N_FAMILIES && !track->n_targets; f++)
		if (target->iface[f].has_peer)
			*cni_push(r->arena, track->targets, track->n_targets) = target->iface[f].peer;
	written = cni_ast_field(target->decl->fields, "track");
	if (!track->n_targets && !cni_ast_field(written->block, "target"))
		cni_diag(r->diags, CNI140, written->span,
			 "`track` needs a `target`: the other end of `%s` is not known", target->name);
}

/* ---- bgp ---- */

/* `md5 file "PATH"`: the word and the path, or the two as one value, as the scanner has it. */
static void read_md5(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field,
		     void *object)
{
	struct cni_bgp *bgp = object;
	struct cni_item *items;
	size_t n = cni_items(r, field->values, CNI_WORDS, &items);

	(void)row;
	if (n == 1 && items[0].value->kind == CNI_VALUE_FILE)
		bgp->md5_file = items[0].value->text;
	else if (n == 2 && cni_is_word(&items[0], "file") && items[1].value->kind == CNI_VALUE_STRING)
		bgp->md5_file = items[1].value->text;
	else
		cni_field_count(r, field, "a file, so that no secret stands in a policy: `md5 file \"PATH\"`");
}

static const struct cni_field bgp_rows[] = {
	/* 0 is reserved (RFC 7607) */
	{ .name = "local-as",
	  .read = cni_read_number,
	  CNI_AT(struct cni_bgp, local_as),
	  .lo = 1,
	  .hi = UINT32_MAX,
	  .mandatory = true },
	{ .name = "peer-as",
	  .read = cni_read_number,
	  CNI_AT(struct cni_bgp, peer_as),
	  .lo = 1,
	  .hi = UINT32_MAX,
	  .mandatory = true },
	{ .name = "md5", .read = read_md5 },
	{ .name = "bfd", .read = cni_read_flag, CNI_AT(struct cni_bgp, bfd) },
};
static const struct cni_block bgp_block = CNI_BLOCK("bgp block", bgp_rows);

void cni_read_bgp(struct cni_resolver *r, const struct cni_field *row, const struct cni_ast_field *field, void *object)
{
	struct cni_draft *draft = object;
	struct cni_bgp inside = { 0 };
	struct cni_bgp *bgp = draft->target.kind == CNI_TARGET_LINK ? &draft->target.link.bgp : &inside;

	(void)row;
	if (!field->has_block || field->values) {
		cni_field_count(r, field, "a block and nothing else: `bgp { local-as N; peer-as N; }`");
		return;
	}
	bgp->present = true;
	draft->target.tunnel.bgp = draft->target.kind == CNI_TARGET_TUNNEL;
	cni_read_block(r, &bgp_block, field->block, field->name.span, NULL, bgp);
}
