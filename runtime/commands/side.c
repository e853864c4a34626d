/* SPDX-License-Identifier: GPL-2.0-or-later */
/* side.c - see side.h. */
#include "runtime/commands/side.h"

#include <string.h>

#include "runtime/commands/against.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/revision.h"
#include "runtime/git.h"
#include "runtime/netlink/read_only.h"
#include "runtime/netlink/snapshot.h"

struct rt_side_kind {
	bool (*is)(const char *operand);
	bool (*load)(struct rt_session *session, struct rt_side *side);
	bool takes_sets;
	bool is_file; /* its texts have the names of files that are there */
};

/* ---- revisions ---- */

static bool is_number(const char *operand)
{
	unsigned int number;

	return rt_revision_parse(operand, &number);
}

static bool load_number(struct rt_session *session, struct rt_side *side)
{
	const struct rt_revision *revision;
	struct rt_store *store;
	unsigned int number;

	if (rt_store_open(session, &store))
		return false;
	if (!store) {
		cni_diag(session->diags, CNI714, (struct cni_span){ 0 }, RT_NO_STORE);
		return false;
	}
	(void)rt_revision_parse(side->operand, &number);
	revision = rt_revision_read(store, number);
	if (!revision)
		return false;
	side->origin = revision->origin;
	return rt_revision_model(session, revision, &side->model);
}

/* ---- files ---- */

static bool is_anything(const char *operand)
{
	(void)operand;
	return true;
}

static bool load_files(struct rt_session *session, struct rt_side *side)
{
	const struct rt_words *sets = &session->options->sets;
	struct rt_policy *policy = rt_load(session->arena, &side->operand, 1, sets->items, sets->n_items);

	side->model = rt_pipeline_resolve(session, policy);
	side->origin = policy->origin;
	return side->model;
}

/* ---- the router as it is ---- */

static bool is_live(const char *operand)
{
	return !strcmp(operand, "live");
}

/* The policy is a text only in its revision: whether the kernel holds that is looked at, without writing. */
static bool load_live(struct rt_session *session, struct rt_side *side)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	struct cni_state *observed;
	struct rt_against against = { 0 };
	struct rt_drift drift;

	if (!rt_against_last(session, "name a file or a revision instead of `live`", &against) ||
	    rt_netlink_open(&nl, session->diags))
		return false;
	if (rt_netlink_read_only(nl)) {
		rt_fail(session, "not enough memory");
		return false;
	}
	if (rt_snapshot(nl, session->arena, &observed, session->diags) ||
	    !rt_against_kernel(session, against.model, nl, observed, &drift))
		return false;
	side->model = against.model;
	side->origin = against.revision->origin;
	if (drift.n_items)
		rt_say(session,
		       "live: the kernel differs from revision %u in %zu place%s, which `cnic drift` tells; compared "
		       "is the revision",
		       against.revision->number, drift.n_items, drift.n_items == 1 ? "" : "s");
	rt_session_json(session, "live",
			json_pack("{s:i, s:b}", "revision", (int)against.revision->number, "holds", !drift.n_items));
	return true;
}

/* ---- git ---- */

static bool load_git(struct rt_session *session, struct rt_side *side)
{
	const struct rt_words *sets = &session->options->sets;
	const char *colon = strchr(side->operand, ':');
	struct rt_policy *policy = rt_load_git(session->arena, side->operand, sets->items, sets->n_items);

	side->prefix = cni_printf(session->arena, "%.*s:", (int)(colon - side->operand), side->operand);
	side->model = rt_pipeline_resolve(session, policy);
	side->origin = policy->origin;
	return side->model;
}

/* The first that fits. */
static const struct rt_side_kind kinds[] = {
	{ is_number, load_number, false, false },
	{ is_live, load_live, false, false },
	{ rt_git_is, load_git, true, false },
	{ is_anything, load_files, true, true },
};

struct rt_side rt_side_of(const char *operand)
{
	const struct rt_side_kind *kind = kinds;

	while (!kind->is(operand))
		kind++;
	return (struct rt_side){ .operand = operand, .kind = kind };
}

bool rt_side_takes_sets(const struct rt_side *side)
{
	return side->kind->takes_sets;
}

const struct cni_sources *rt_side_named(struct cni_arena *arena, const struct cni_sources *sources, const char *prefix)
{
	struct cni_sources *copy = cni_new(arena, struct cni_sources);

	copy->n_items = sources->n_items;
	copy->items = cni_new_array(arena, struct cni_source, sources->n_items);
	for (size_t i = 0; i < sources->n_items; i++) {
		copy->items[i] = sources->items[i];
		copy->items[i].name = cni_printf(arena, "%s%s", prefix, sources->items[i].name);
	}
	return copy;
}

bool rt_side_load(struct rt_session *session, struct rt_side *side)
{
	side->prefix = side->kind->is_file ? "" : cni_printf(session->arena, "%s:", side->operand);
	if (!side->kind->load(session, side))
		return false;
	side->sources = rt_side_named(session->arena, session->sources, side->prefix);
	return true;
}
