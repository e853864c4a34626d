/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c - see policy.h. */
#include "runtime/track/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/emit/emit.h"
#include "compiler/lower.h"
#include "runtime/commands/pipeline.h"
#include "runtime/commands/revision.h"
#include "runtime/confirm/confirm.h"
#include "runtime/lock.h"
#include "runtime/netlink/netlink.h"
#include "runtime/netlink/snapshot.h"

#define ATTEMPTS 5 /* when a device comes or goes while the routes are read */

/* ---- sessions of its own ---- */

static struct rt_session *session_in(struct cni_arena *arena, const struct rt_options *from)
{
	struct rt_options *options = cni_new(arena, struct rt_options);

	*options = *from;
	options->quiet = true;
	options->verbose = options->json = false;
	options->colour = RT_COLOUR_NEVER;
	return rt_session_new(arena, options);
}

/* What went wrong, as text in the look's arena; nothing: NULL. */
static const char *failure_of(struct rt_look *look, struct rt_session *session)
{
	struct cni_text text = { .arena = look->arena };
	struct cni_diags errors = *session->diags;

	errors.first = NULL;
	errors.last = &errors.first;
	for (const struct cni_diag *d = session->diags->first; d; d = d->next)
		if (d->severity == CNI_ERROR) {
			struct cni_diag *copy = cni_new(look->arena, struct cni_diag);

			*copy = *d;
			copy->next = NULL;
			*errors.last = copy;
			errors.last = &copy->next;
		}
	errors.n_warnings = 0;
	if (errors.first)
		cni_emit_diags(&text, &errors, session->sources, false);
	if (session->failure)
		cni_text_printf(&text, "%s\n", session->failure);
	return text.data;
}

static void end_session(struct rt_session *session)
{
	json_decref(session->json);
	session->json = NULL;
}

/* ---- texts ---- */

void rt_text_of_policy_free(struct rt_text_of_policy *text)
{
	if (text)
		cni_arena_free(text->arena);
}

static struct rt_text_of_policy *text_in(struct cni_arena *arena)
{
	struct rt_text_of_policy *text = cni_new(arena, struct rt_text_of_policy);

	text->arena = arena;
	return text;
}

static bool is_known(const struct rt_look *look, unsigned int revision, const char *digest)
{
	return look->known && look->known->revision == revision && !strcmp(look->known->digest, digest);
}

/* The text that `fill` reads, in an arena of its own; none where that fails. */
static void read_text(struct rt_look *look, const void *from,
		      bool (*fill)(struct rt_session *session, struct rt_text_of_policy *text, const void *from))
{
	struct rt_text_of_policy *text = text_in(cni_arena_new());
	struct rt_session *session = session_in(text->arena, look->options);

	if (fill(session, text, from))
		look->text = text;
	else if (!(look->failure = failure_of(look, session)))
		look->failure = "the policy cannot be read\n"; /* it went between one look and the other */
	end_session(session);
	if (look->failure)
		rt_text_of_policy_free(text);
}

static bool fill_from_files(struct rt_session *session, struct rt_text_of_policy *text, const void *from)
{
	(void)from;
	text->model = rt_pipeline_model(session);
	text->digest = text->model ? rt_origin_digest(session->arena, &session->policy->origin) : "";
	return text->model;
}

static bool fill_from_revision(struct rt_session *session, struct rt_text_of_policy *text, const void *from)
{
	const struct rt_revision *listed = from, *revision;
	struct rt_store *store = NULL;

	if (rt_store_open(session, &store) || !store)
		return false;
	revision = rt_revision_read(store, listed->number);
	if (!revision || !rt_revision_model(session, revision, &text->model))
		return false;
	text->revision = revision->number;
	text->digest = revision->digest;
	return true;
}

/* Nothing was applied here yet, and nothing may ever be. */
static bool fill_with_nothing(struct rt_session *session, struct rt_text_of_policy *text, const void *from)
{
	(void)session;
	(void)from;
	text->digest = "";
	return true;
}

static void find_revision(struct rt_look *look)
{
	struct rt_session *session = session_in(look->arena, look->options);
	const struct rt_revision *revision = NULL;
	struct rt_store *store = NULL;

	if (!rt_store_open(session, &store) && store) {
		revision = rt_revision_pending(store);
		if (!revision || !revision->deadline)
			revision = rt_revision_last(store);
	}
	look->failure = failure_of(look, session);
	end_session(session);
	if (look->failure)
		return;
	if (!revision && !is_known(look, 0, ""))
		read_text(look, NULL, fill_with_nothing);
	else if (revision && !is_known(look, revision->number, revision->digest))
		read_text(look, revision, fill_from_revision);
}

static void find_text(struct rt_look *look)
{
	if (!look->options->n_operands)
		find_revision(look);
	else if (!look->known || look->again)
		read_text(look, NULL, fill_from_files);
}

/* ---- what is installed ---- */

/* All that lowering takes from a router to number paths and tables by. */
static uint32_t digest_of(const struct cni_state *state)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < state->n_counters; i++) {
		const char *texts[] = { state->counters[i].name, state->counters[i].comment };

		for (size_t j = 0; j < 2 && !strncmp(texts[0], "path.", 5); j++)
			for (const char *c = texts[j] ? texts[j] : ""; *c; c++)
				hash = (hash ^ (uint8_t)*c) * 16777619u;
	}
	for (size_t i = 0; i < state->n_rules; i++)
		if (state->rules[i].owned)
			hash = (hash ^ state->rules[i].priority ^ state->rules[i].table) * 16777619u;
	return hash ? hash : 1;
}

/* Every path has the number that it has in the kernel. */
static bool is_installed(const struct cni_state *desired)
{
	return !desired->stale.all && !desired->stale.n_ids;
}

static void lower(struct rt_look *look, const struct cni_state *observed)
{
	const struct rt_text_of_policy *text = look->text ? look->text : look->known;
	const struct cni_prior prior = { .observed = observed, .keep_former = true };
	struct rt_session *session;

	look->installed = false;
	if (!text->model) {
		look->desired = cni_new(look->arena, struct cni_state);
		return;
	}
	session = session_in(look->arena, look->options);
	look->desired = cni_lower(look->arena, text->model, &prior, session->diags);
	if (session->diags->n_errors) {
		/* of a policy that another one stands in the way of: it is to be probed all the same */
		look->failure = failure_of(look, session);
		session->diags->n_errors = 0;
		look->desired = cni_lower(look->arena, text->model, &(struct cni_prior){ 0 }, session->diags);
	} else {
		look->installed = is_installed(look->desired);
	}
	end_session(session);
}

/* Not while an apply is at work. One that awaits its confirmation is not. */
static bool take_lock(struct rt_look *look)
{
	struct rt_session *session = session_in(look->arena, look->options);
	unsigned int revision;
	int rc, pid;

	rc = rt_lock(0, &look->lock, session->diags);
	if (rc == -EWOULDBLOCK)
		look->busy = !rt_confirm_waits(&pid, &revision);
	else if (rc)
		look->failure = failure_of(look, session);
	end_session(session);
	return !look->busy && !look->failure;
}

static void find_routes(struct rt_look *look, struct rt_netlink *nl)
{
	struct cni_state *observed = NULL;
	int rc = -EINTR;

	for (int i = 0; i < ATTEMPTS && rc == -EINTR; i++)
		rc = rt_snapshot_routes(nl, look->arena, &observed);
	if (rc)
		look->failure = cni_printf(look->arena, "the routes cannot be read: %s\n", strerror(-rc));
	else
		look->observed = observed;
}

static const struct cni_state *snapshot(struct rt_look *look, struct rt_netlink *nl)
{
	const struct rt_trust trust = { .seal = true };
	struct rt_session *session = session_in(look->arena, look->options);
	struct cni_state *observed = NULL;

	if (rt_snapshot_trusting(nl, look->arena, &trust, &observed, session->diags))
		look->failure = failure_of(look, session);
	end_session(session);
	return look->failure ? NULL : observed;
}

static void find_all(struct rt_look *look, struct rt_netlink *nl)
{
	look->observed = snapshot(look, nl);
	if (!look->observed)
		return;
	look->generation = look->observed->generation;
	look->paths = digest_of(look->observed);
	lower(look, look->observed);
}

/* Others change nftables, too, and may do so all the time: that takes no lock. */
static bool is_as_it_was(struct rt_look *look, struct rt_netlink *nl)
{
	const struct cni_state *observed = snapshot(look, nl);

	if (!observed || digest_of(observed) != look->paths)
		return false;
	look->generation = observed->generation;
	return true;
}

static void ask_kernel(struct rt_look *look, struct rt_netlink *nl)
{
	uint32_t generation;
	bool all = look->text;
	int rc = rt_generation(nl, &generation);

	if (rc) {
		look->failure = cni_printf(look->arena, "nftables cannot be asked: %s\n", strerror(-rc));
		return;
	}
	if (!all && generation != look->generation)
		all = !is_as_it_was(look, nl);
	if (look->failure || (!all && !look->routes) || !take_lock(look))
		return;
	if (all)
		find_all(look, nl);
	else
		find_routes(look, nl);
}

void rt_look(struct rt_look *look)
{
	rt_auto_netlink struct rt_netlink *nl = NULL;
	struct rt_session *session;

	look->arena = cni_arena_new();
	look->lock = -1;
	find_text(look);
	if (look->failure)
		return;
	session = session_in(look->arena, look->options);
	if (rt_netlink_open(&nl, session->diags))
		look->failure = failure_of(look, session);
	else
		ask_kernel(look, nl);
	end_session(session);
	/* a text without what it means here is found again by the next look */
	if (look->text && !look->desired) {
		rt_text_of_policy_free(look->text);
		look->text = NULL;
	}
}

void rt_look_free(struct rt_look *look)
{
	rt_unlockp(&look->lock);
	cni_arena_free(look->arena);
	*look = (struct rt_look){ .lock = -1 };
}

const char *rt_look_folder(struct cni_arena *arena, const struct rt_options *options)
{
	struct rt_session *session = session_in(arena, options);
	struct rt_store *store = NULL;
	const char *folder = NULL;

	if (!options->n_operands && !rt_store_open(session, &store) && store)
		folder = cni_printf(arena, "%s/revisions", rt_store_path(store));
	end_session(session);
	return folder;
}
