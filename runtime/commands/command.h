/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.h - the commands of cnic as a table: names, help, the options each takes, and the function that runs it. */
#ifndef RT_COMMAND_H
#define RT_COMMAND_H

#include <stddef.h>
#include <stdint.h>

struct rt_session;

/* Exit statuses. */
enum rt_exit {
	RT_OK = 0,
	RT_ERROR = 1, /* nothing was changed */
	RT_CHANGES = 2, /* only of plan --detailed-exitcode, of drift, and of explain --live */
	RT_ROLLED_BACK = 3, /* apply failed, and the former state was seen to be back */
	RT_BROKEN = 4, /* apply failed, and so did its undoing */
	RT_REVERTED = 5, /* the confirmation did not come, and the former policy was seen to be back */
	RT_LOCKED = 6, /* another writer holds the lock, or a saved plan is stale */
	RT_USAGE = 64,
};

struct rt_command {
	const char *name;
	const char *const *aliases; /* other names for it, up to a NULL; NULL: none */
	const char *operands; /* for the usage line: "FILE..." */
	const char *summary; /* one line */
	const char *about; /* what `cnic help NAME` says beside the options; lines of at most 79 columns */
	uint64_t options; /* a bit per enum rt_option_id, beside RT_COMMON_OPTIONS */
	size_t min_operands, max_operands;
	/* Returns the exit status. What it has to say is in the session, which is printed afterwards. */
	enum rt_exit (*run)(struct rt_session *session);
};

/* In the order in which help lists them; the table ends in a row without a name. */
extern const struct rt_command rt_commands[];

/* By name or alias; NULL: there is none. */
const struct rt_command *rt_command_find(const char *name);
/* The nearest name to a word that is none, or NULL. */
const char *rt_command_suggest(const char *word);

enum rt_exit rt_check(struct rt_session *session);
enum rt_exit rt_compile(struct rt_session *session);
enum rt_exit rt_plan(struct rt_session *session);
enum rt_exit rt_apply_command(struct rt_session *session);
enum rt_exit rt_confirm_command(struct rt_session *session);
enum rt_exit rt_rollback(struct rt_session *session);
enum rt_exit rt_history(struct rt_session *session);
enum rt_exit rt_restore(struct rt_session *session);
enum rt_exit rt_diff(struct rt_session *session);
enum rt_exit rt_drift(struct rt_session *session);
enum rt_exit rt_doctor(struct rt_session *session);
enum rt_exit rt_status(struct rt_session *session);
enum rt_exit rt_remove(struct rt_session *session);
enum rt_exit rt_snapshot_command(struct rt_session *session);
enum rt_exit rt_fmt(struct rt_session *session);
enum rt_exit rt_explain_command(struct rt_session *session);
enum rt_exit rt_test(struct rt_session *session);
enum rt_exit rt_explain_code(struct rt_session *session);
enum rt_exit rt_track(struct rt_session *session);
enum rt_exit rt_version(struct rt_session *session);
enum rt_exit rt_help(struct rt_session *session);

#endif
