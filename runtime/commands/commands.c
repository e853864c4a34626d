/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c - the table of commands; see command.h. */
#include "runtime/commands/command.h"

#include <string.h>

#include "compiler/diag.h"
#include "runtime/commands/options.h"

#define ANY_NUMBER SIZE_MAX
#define POLICY_ABOUT                                                                                                   \
	"FILE is a policy, a folder (every *.cni in it), or - for standard input. Several\n"                           \
	"are one policy."

/* of every command that makes another policy the router's */
#define CHANGE_OPTIONS                                                                                                 \
	(RT_BIT(RT_OPT_CONFIRM) | RT_BIT(RT_OPT_DRY_RUN) | RT_BIT(RT_OPT_GATE) | RT_BIT(RT_OPT_LOCK_TIMEOUT) |         \
	 RT_BIT(RT_OPT_MESSAGE) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_NO_WAIT) | RT_BIT(RT_OPT_STATE_DIR) |           \
	 RT_BIT(RT_OPT_YES))

static const char *const plan_aliases[] = { "compare", NULL };

#define N_COMMANDS (sizeof(rt_commands) / sizeof(*rt_commands) - 1)

const struct rt_command rt_commands[] = {
	{ "check", NULL, "FILE...", "find every mistake that can be seen without a kernel",
	  POLICY_ABOUT " Diagnostics go to standard error; in another format than\n"
		       "text they go to standard output.",
	  RT_BIT(RT_OPT_PROVE) | RT_BIT(RT_OPT_SET) | RT_BIT(RT_OPT_SHADOWED), 1, ANY_NUMBER, rt_check },
	{ "compile", NULL, "FILE...", "write what a policy becomes on an empty router",
	  POLICY_ABOUT " With --state it is what it becomes on\n"
		       "that router: routing tables that are in use there keep their numbers.",
	  RT_BIT(RT_OPT_EMIT) | RT_BIT(RT_OPT_SET) | RT_BIT(RT_OPT_STATE) | RT_BIT(RT_OPT_STATS), 1, ANY_NUMBER,
	  rt_compile },
	{ "plan", plan_aliases, "FILE...", "show what apply would change",
	  POLICY_ABOUT " Against the live kernel this needs CAP_NET_ADMIN; with\n"
		       "--state it needs no privilege. With -o the plan is saved for apply. Where the\n"
		       "kernel holds the last revision, which packets would meet another fate is told.",
	  RT_BIT(RT_OPT_DETAILED_EXITCODE) | RT_BIT(RT_OPT_DOWN) | RT_BIT(RT_OPT_EACH_FAILURE) |
		  RT_BIT(RT_OPT_MAX_NODES) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_SET) | RT_BIT(RT_OPT_STATE) |
		  RT_BIT(RT_OPT_STATE_DIR),
	  1, ANY_NUMBER, rt_plan },
	{ "apply", NULL, "FILE...", "make the router what the policy says",
	  POLICY_ABOUT "\nShows the plan, asks if there is a terminal to ask on, and changes nothing when\n"
		       "nothing is to be changed. A FILE that plan -o wrote is applied only while the\n"
		       "policy and the router are as they were. Needs CAP_NET_ADMIN.",
	  CHANGE_OPTIONS | RT_BIT(RT_OPT_SET), 1, ANY_NUMBER, rt_apply_command },
	{ "confirm", NULL, "[REVISION]", "keep what apply --confirm has made",
	  "Without it in time, the former policy comes back by itself. REVISION, as apply\n"
	  "named it, makes sure which change is meant.",
	  RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_STATE_DIR), 0, 1, rt_confirm_command },
	{ "rollback", NULL, "[REVISION]", "make the router what an earlier revision says",
	  "Without REVISION: what awaits its confirmation is taken back at once; where\n"
	  "nothing does, the revision before the present one is applied. It becomes a new\n"
	  "revision, so that a rollback can be rolled back.",
	  CHANGE_OPTIONS, 0, 1, rt_rollback },
	{ "history", NULL, "", "list the revisions: when, by whom, and what for", "",
	  RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_STATE_DIR), 0, 0, rt_history },
	{ "diff", NULL, "OLD NEW", "show which packets two policies treat differently",
	  "OLD and NEW are revisions (a number), files or folders, REV:PATH in git, or live:\n"
	  "the revision that this router holds. Shown is every class of packets whose fate\n"
	  "changes; at choice how the texts differ, and the rules that they become on an\n"
	  "empty router. --twin also sends one packet of each class through both, in network\n"
	  "namespaces of their own; where a kernel does otherwise than is said, the exit\n"
	  "status is 1.",
	  RT_BIT(RT_OPT_DETAILED_EXITCODE) | RT_BIT(RT_OPT_DOWN) | RT_BIT(RT_OPT_EACH_FAILURE) |
		  RT_BIT(RT_OPT_MAX_NODES) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_RULES) | RT_BIT(RT_OPT_SET) |
		  RT_BIT(RT_OPT_STATE_DIR) | RT_BIT(RT_OPT_TEXT) | RT_BIT(RT_OPT_TWIN),
	  2, 2, rt_diff },
	{ "explain", NULL, "FILE... on DEVICE MATCH...", "tell where one packet goes, and why",
	  "The packet is written as in `expect`: on eth2 from 10.1.0.5 to 192.0.2.9 udp dport\n"
	  "53. Fields that decide nothing may be left out; it is the first of its flow. FILE\n"
	  "ends where the word `on` stands; a file of that name is ./on. -v shows the nft\n"
	  "rules. --live compares with the router: it needs CAP_NET_ADMIN, and exits 2 where\n"
	  "what is installed, or the kernel, does otherwise.",
	  RT_BIT(RT_OPT_DOWN) | RT_BIT(RT_OPT_LIVE) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_SET), 2, ANY_NUMBER,
	  rt_explain_command },
	{ "test", NULL, "FILE...", "try every `expect` of a policy",
	  POLICY_ABOUT "\nExits 1 where one does not hold, or where the policy has another error.",
	  RT_BIT(RT_OPT_FORMAT) | RT_BIT(RT_OPT_SET), 1, ANY_NUMBER, rt_test },
	{ "drift", NULL, "[FILE...]", "tell where the kernel differs from the policy, changing nothing",
	  "The policy is the last confirmed revision, or FILE. Exits 2 where something\n"
	  "differs. --ignore may be given several times, such as 'setting *'. With --prove\n"
	  "only what steers a packet otherwise than the policy says is a difference, or what\n"
	  "cannot be judged: rules and routes in another shape are not.",
	  RT_BIT(RT_OPT_IGNORE) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_PROVE) | RT_BIT(RT_OPT_SET) |
		  RT_BIT(RT_OPT_STATE_DIR),
	  0, ANY_NUMBER, rt_drift },
	{ "doctor", NULL, "[FILE...]", "find what will bite: other daemons, marks, missing parts",
	  "Looks at this router, with FILE or the last confirmed revision in mind, and\n"
	  "changes nothing. Exits 1 where something will break, 0 where it only may.",
	  RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_SET) | RT_BIT(RT_OPT_STATE_DIR), 0, ANY_NUMBER, rt_doctor },
	{ "restore", NULL, "", "bring back the last confirmed revision, as at boot",
	  "Asks nothing; without a revision it does nothing. cnic.service runs it.",
	  RT_BIT(RT_OPT_LOCK_TIMEOUT) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_STATE_DIR), 0, 0, rt_restore },
	{ "status", NULL, "[SECONDS]", "show the paths, tunnels and routes that are in the kernel now",
	  "Reads the kernel only: what it says is so, whatever was applied. A change that\n"
	  "awaits its confirmation is told of, and what the tracker says, if one runs. Needs\n"
	  "CAP_NET_ADMIN. SECONDS is for --watch (default 2).",
	  RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_STATE_DIR) | RT_BIT(RT_OPT_WATCH), 0, 1, rt_status },
	{ "track", NULL, "[FILE...]", "probe what is tracked, and route around what is down",
	  "Runs until it is stopped, and then leaves the routing as it is. The policy is the\n"
	  "revision that this router holds, which is followed as it changes, or FILE. SIGHUP\n"
	  "reads it again. Needs CAP_NET_RAW and CAP_NET_ADMIN; cnic-track.service runs it.\n"
	  "COMMAND is words, with blanks in quotes; no shell reads it. It finds CNIC_TARGET,\n"
	  "CNIC_STATE, CNIC_BEFORE, CNIC_REASON and CNIC_TIME among its variables.",
	  RT_BIT(RT_OPT_HOOK_TIMEOUT) | RT_BIT(RT_OPT_METRICS_FILE) | RT_BIT(RT_OPT_METRICS_LISTEN) |
		  RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_ON_CHANGE) | RT_BIT(RT_OPT_SET) | RT_BIT(RT_OPT_STATE_DIR) |
		  RT_BIT(RT_OPT_SYSLOG),
	  0, ANY_NUMBER, rt_track },
	{ "remove", NULL, "", "take away everything that cnic owns, and nothing else",
	  "Settings of devices that are not cnic's get the value back that they had. Needs\n"
	  "CAP_NET_ADMIN.",
	  CHANGE_OPTIONS, 0, 0, rt_remove },
	{ "snapshot", NULL, "", "write what the kernel holds, for plan --state", "Needs CAP_NET_ADMIN.",
	  RT_BIT(RT_OPT_NETNS), 0, 0, rt_snapshot_command },
	{ "fmt", NULL, "FILE...", "write policies in the canonical layout",
	  "One FILE, or - for standard input, is written to standard output. With --check,\n"
	  "--diff or -w there may be several, and folders (every *.cni in them).",
	  RT_BIT(RT_OPT_CHECK) | RT_BIT(RT_OPT_DIFF) | RT_BIT(RT_OPT_WRITE), 1, ANY_NUMBER, rt_fmt },
	{ "explain-code", NULL, "[CODE]", "tell why a diagnostic is one, with an example and its mend",
	  "CODE is CNI417, cni417 or 417; without one, all codes are listed.", 0, 0, 1, rt_explain_code },
	{ "version", NULL, "", "show the version", "", 0, 0, 0, rt_version },
	{ "help", NULL, "[COMMAND]", "show this help, or that of a command", "", 0, 0, 1, rt_help },
	{ 0 },
};

const struct rt_command *rt_command_find(const char *name)
{
	for (const struct rt_command *c = rt_commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
		for (const char *const *alias = c->aliases; alias && *alias; alias++)
			if (!strcmp(*alias, name))
				return c;
	}
	return NULL;
}

const char *rt_command_suggest(const char *word)
{
	const char *names[N_COMMANDS + sizeof(plan_aliases) / sizeof(*plan_aliases)];
	size_t n = 0;

	for (const struct rt_command *c = rt_commands; c->name; c++) {
		names[n++] = c->name;
		for (const char *const *alias = c->aliases; alias && *alias; alias++)
			names[n++] = *alias;
	}
	names[n] = NULL;
	return cni_did_you_mean(word, names);
}
