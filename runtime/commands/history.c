/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.c - `cnic history`: the revisions, newest first. */
#include "runtime/commands/history.h"

#include <ctype.h>

#include "runtime/commands/revision.h"
#include "runtime/commands/table.h"
#include "runtime/confirm/confirm.h"
#include "runtime/json/envelope.h"

#define DIGEST_SHOWN 12 /* digits: enough to tell revisions apart by eye */

static const char *state_word(const struct rt_revision *revision, bool awaiting)
{
	return !revision->pending ? "confirmed" : awaiting ? "awaiting" : "unconfirmed";
}

static json_t *one(struct cni_arena *arena, const struct rt_revision *revision, bool awaiting)
{
	json_t *json = json_object();
	bool ends = revision->pending && awaiting && revision->deadline;

	json_object_set_new(json, "number", json_integer(revision->number));
	json_object_set_new(json, "time", json_string(rt_time_text(arena, revision->time)));
	json_object_set_new(json, "user", rt_json_text(revision->user));
	json_object_set_new(json, "message", rt_json_text(revision->message));
	json_object_set_new(json, "digest", rt_json_text(revision->digest));
	json_object_set_new(json, "removed", json_boolean(revision->removed));
	json_object_set_new(json, "proven", json_boolean(revision->proven));
	json_object_set_new(json, "proof_seconds",
			    revision->proven ? json_real(revision->proof_ms / 1e3) : json_null());
	json_object_set_new(json, "state", json_string(state_word(revision, awaiting)));
	json_object_set_new(json, "deadline",
			    ends ? json_string(rt_time_text(arena, revision->deadline)) : json_null());
	return json;
}

json_t *rt_json_history(struct cni_arena *arena, const struct rt_revision *revisions, size_t n, bool awaiting)
{
	json_t *list = json_array();

	while (n--)
		json_array_append_new(list, one(arena, &revisions[n], awaiting));
	return list;
}

/* Somebody's words, on one line and with nothing in them that a terminal obeys. */
static const char *plain(struct cni_arena *arena, const char *text)
{
	char *copy = cni_strdup(arena, text);

	for (char *c = copy; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	return copy;
}

static const char *note(struct cni_arena *arena, const struct rt_revision *revision, bool awaiting)
{
	const char *removed = revision->removed ? "no policy" : "";
	const char *comma = revision->removed && revision->pending ? ", " : "";
	const char *message = revision->message ? plain(arena, revision->message) : "";
	const char *state = "";

	if (revision->pending)
		state = !awaiting ? "never confirmed"
				  : cni_printf(arena, "awaits `cnic confirm` until %s",
					       rt_time_text(arena, revision->deadline));
	if (!*removed && !*state)
		return *message ? message : "-";
	return cni_printf(arena, "(%s%s%s)%s%s", removed, comma, state, *message ? " " : "", message);
}

void rt_history_text(struct cni_text *out, const char *folder, const struct rt_revision *revisions, size_t n,
		     bool awaiting)
{
	static const struct rt_column columns[] = { { "revision", true }, { "applied", false }, { "by", false },
						    { "digest", false },  { "proven", false },	{ "message", false } };
	struct rt_table table = { .columns = columns, .n_columns = sizeof(columns) / sizeof(*columns) };
	struct cni_arena *arena = out->arena;

	while (n--) {
		const struct rt_revision *revision = &revisions[n];

		rt_table_add(&table, arena, cni_printf(arena, "%u", revision->number));
		rt_table_add(&table, arena, rt_time_text(arena, revision->time));
		rt_table_add(&table, arena, plain(arena, revision->user));
		rt_table_add(&table, arena, cni_printf(arena, "%.*s", DIGEST_SHOWN, plain(arena, revision->digest)));
		rt_table_add(&table, arena,
			     revision->proven ? cni_printf(arena, "in %.2f s", revision->proof_ms / 1e3) : "no");
		rt_table_add(&table, arena, note(arena, revision, awaiting));
	}
	rt_table_print(&table, out, cni_printf(arena, "Revisions in %s", folder));
}

enum rt_exit rt_history(struct rt_session *session)
{
	struct rt_revision *revisions;
	struct rt_store *store;
	unsigned int waiting = 0;
	bool awaiting;
	size_t n = 0;
	int pid;

	if (rt_store_open(session, &store) || (store && rt_revision_list(store, &revisions, &n)))
		return RT_ERROR;
	awaiting =
		n && revisions[n - 1].pending && rt_confirm_waits(&pid, &waiting) && waiting == revisions[n - 1].number;
	rt_session_json(session, "folder", rt_json_text(store ? rt_store_path(store) : NULL));
	rt_session_json(session, "revisions", rt_json_history(session->arena, revisions, n, awaiting));
	if (n)
		rt_history_text(&session->out, rt_store_path(store), revisions, n, awaiting);
	else if (store)
		cni_text_printf(&session->out, "no revisions in %s\n", rt_store_path(store));
	else
		cni_text_puts(&session->out, RT_NO_STORE "\n");
	return RT_OK;
}
