/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - the command line: every option once, in one table, and what was given of them. */
#ifndef RT_OPTIONS_H
#define RT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler/text.h"
#include "runtime/commands/command.h"

enum rt_option_id {
	RT_OPT_CHECK,
	RT_OPT_CONFIRM,
	RT_OPT_DETAILED_EXITCODE,
	RT_OPT_DIFF,
	RT_OPT_DOWN,
	RT_OPT_DRY_RUN,
	RT_OPT_EACH_FAILURE,
	RT_OPT_EMIT,
	RT_OPT_FORMAT,
	RT_OPT_GATE,
	RT_OPT_HOOK_TIMEOUT,
	RT_OPT_IGNORE,
	RT_OPT_LIVE,
	RT_OPT_LOCK_TIMEOUT,
	RT_OPT_MAX_NODES,
	RT_OPT_MESSAGE,
	RT_OPT_METRICS_FILE,
	RT_OPT_METRICS_LISTEN,
	RT_OPT_NETNS,
	RT_OPT_NO_WAIT,
	RT_OPT_ON_CHANGE,
	RT_OPT_PROVE,
	RT_OPT_RULES,
	RT_OPT_SET,
	RT_OPT_SHADOWED,
	RT_OPT_STATE,
	RT_OPT_STATE_DIR,
	RT_OPT_STATS,
	RT_OPT_SYSLOG,
	RT_OPT_TEXT,
	RT_OPT_TWIN,
	RT_OPT_WATCH,
	RT_OPT_WRITE,
	RT_OPT_YES,
	/* every command takes these */
	RT_OPT_COLOR,
	RT_OPT_DIAGNOSTICS,
	RT_OPT_JSON,
	RT_OPT_NO_INPUT,
	RT_OPT_OUTPUT,
	RT_OPT_QUIET,
	RT_OPT_VERBOSE,
	RT_OPT_HELP,
	RT_OPT_VERSION,
	RT_N_OPTIONS
};

#define RT_BIT(id) (UINT64_C(1) << (id))
#define RT_COMMON_OPTIONS (~UINT64_C(0) << RT_OPT_COLOR)

enum rt_colour { RT_COLOUR_AUTO, RT_COLOUR_ALWAYS, RT_COLOUR_NEVER };
enum rt_format { RT_FORMAT_TEXT, RT_FORMAT_JSON, RT_FORMAT_SARIF, RT_FORMAT_GITHUB };
enum rt_report { RT_REPORT_TEXT, RT_REPORT_TAP, RT_REPORT_JUNIT };
enum rt_emit { RT_EMIT_NFT, RT_EMIT_IP, RT_EMIT_BIRD, RT_EMIT_JSON };

struct rt_words {
	const char **items;
	size_t n_items;
};

struct rt_options {
	const struct rt_command *command; /* NULL: none was named */
	const char **operands;
	size_t n_operands;
	struct rt_words sets, ignore, down; /* of --set, --ignore and --down, in order */
	bool check, detailed_exitcode, diff, dry_run, each_failure, gate, help, json, live, no_input, no_wait, prove,
		quiet, rules, shadowed, syslog, text, twin, verbose, version, watch, write, yes;
	const char *max_nodes, *message, *metrics_file, *metrics_listen, *netns, *on_change, *output, *state,
		*state_dir; /* NULL: not given; output is NULL for "-", too */
	unsigned int confirm; /* ms; 0: not given */
	unsigned int hook_timeout; /* ms; 0: not given */
	unsigned int lock_timeout; /* ms */
	enum rt_colour colour;
	enum rt_format diagnostics;
	enum rt_report format;
	bool has_emit;
	bool stats;
	enum rt_emit emit;
};

/* "500ms", "10s", "2m", "1h", or a bare 0; at most a day. */
bool rt_duration(const char *text, unsigned int *ms);

/* Reads argv (which getopt may reorder). False, with what is wrong and how to go on in `error`, if it cannot be
 * made sense of; -h and -V excuse everything that is missing. What the result points at lives in `arena`, or is
 * argv's. */
bool rt_options_parse(struct cni_arena *arena, int argc, char **argv, struct rt_options *options,
		      struct cni_text *error);

/* The lines of help for the options in `mask`. */
void rt_options_help(struct cni_text *out, uint64_t mask);

#endif
