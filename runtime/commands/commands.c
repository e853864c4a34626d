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

static const char *const plan_aliases[] = { "diff", "compare", NULL };

#define N_COMMANDS (sizeof(rt_commands) / sizeof(*rt_commands) - 1)

const struct rt_command rt_commands[] = {
	{ "check", NULL, "FILE...", "find every mistake that can be seen without a kernel",
	  POLICY_ABOUT " Diagnostics go to standard error; in another format than\n"
		       "text they go to standard output.",
	  RT_BIT(RT_OPT_SET), 1, ANY_NUMBER, rt_check },
	{ "compile", NULL, "FILE...", "write what a policy becomes on an empty router", POLICY_ABOUT,
	  RT_BIT(RT_OPT_EMIT) | RT_BIT(RT_OPT_SET), 1, ANY_NUMBER, rt_compile },
	{ "plan", plan_aliases, "FILE...", "show what apply would change",
	  POLICY_ABOUT " Against the live kernel this needs CAP_NET_ADMIN; with\n"
		       "--state it needs no privilege.",
	  RT_BIT(RT_OPT_DETAILED_EXITCODE) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_SET) | RT_BIT(RT_OPT_STATE), 1,
	  ANY_NUMBER, rt_plan },
	{ "apply", NULL, "FILE...", "make the router what the policy says",
	  POLICY_ABOUT "\nShows the plan, asks if there is a terminal to ask on, and changes nothing when\n"
		       "nothing is to be changed. Needs CAP_NET_ADMIN.",
	  RT_BIT(RT_OPT_DRY_RUN) | RT_BIT(RT_OPT_LOCK_TIMEOUT) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_SET) |
		  RT_BIT(RT_OPT_YES),
	  1, ANY_NUMBER, rt_apply_command },
	{ "status", NULL, "", "show the paths, tunnels and routes that are in the kernel now",
	  "Reads the kernel only: what it says is so, whatever was applied. Needs\n"
	  "CAP_NET_ADMIN.",
	  RT_BIT(RT_OPT_NETNS), 0, 0, rt_status },
	{ "remove", NULL, "", "take away everything that cnic owns, and nothing else",
	  "Settings of devices that are not cnic's get the value back that they had. Needs\n"
	  "CAP_NET_ADMIN.",
	  RT_BIT(RT_OPT_DRY_RUN) | RT_BIT(RT_OPT_LOCK_TIMEOUT) | RT_BIT(RT_OPT_NETNS) | RT_BIT(RT_OPT_YES), 0, 0,
	  rt_remove },
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
