/* SPDX-License-Identifier: GPL-2.0-or-later */
/* help.c - `cnic help`, `cnic version`: both told by the tables. */
#include <stdio.h>
#include <string.h>

#include "runtime/commands/help.h"
#include "runtime/commands/session.h"
#include "runtime/json/envelope.h"

static void all_commands(struct cni_text *out)
{
	cni_text_puts(out,
		      "cnic compiles a .cni policy to nftables, ip rules, routes and GRE devices, and applies it.\n\n"
		      "Usage: cnic COMMAND [OPTION]... [FILE]...\n\nCommands:\n");
	for (const struct rt_command *c = rt_commands; c->name; c++)
		cni_text_printf(out, "  %-14s%s\n", c->name, c->summary);
	cni_text_puts(out, "\nOptions of every command:\n");
	rt_options_help(out, RT_COMMON_OPTIONS);
	cni_text_puts(out,
		      "\nExit status: 0 done, 1 error and nothing changed, 2 changes exist (plan --detailed-exitcode)\n"
		      "or something differs (drift, explain --live), 3 apply failed and was rolled back, 4 apply\n"
		      "failed and the rollback is incomplete, 6 another writer holds the lock, 64 wrong usage.\n"
		      "`cnic help COMMAND` says more.\n");
}

static void one_command(struct cni_text *out, const struct rt_command *command)
{
	cni_text_printf(out, "cnic %s: %s\n\nUsage: cnic %s [OPTION]...%s%s\n", command->name, command->summary,
			command->name, *command->operands ? " " : "", command->operands);
	for (const char *const *alias = command->aliases; alias && *alias; alias++)
		cni_text_printf(out, "Also: cnic %s\n", *alias);
	if (*command->about)
		cni_text_printf(out, "\n%s\n", command->about);
	if (command->options) {
		cni_text_puts(out, "\nOptions:\n");
		rt_options_help(out, command->options);
	}
	cni_text_puts(out, "\nOptions of every command:\n");
	rt_options_help(out, RT_COMMON_OPTIONS);
}

enum rt_exit rt_help_about(struct rt_session *session, const struct rt_command *command)
{
	if (command)
		one_command(&session->out, command);
	else
		all_commands(&session->out);
	rt_session_json(session, "text", rt_json_textn(session->out.data, session->out.len));
	return RT_OK;
}

enum rt_exit rt_help(struct rt_session *session)
{
	const struct rt_options *options = session->options;
	const struct rt_command *about = options->n_operands ? rt_command_find(options->operands[0]) : NULL;
	const char *near;

	if (options->n_operands && !about) {
		near = rt_command_suggest(options->operands[0]);
		rt_fail(session, "unknown command '%s'%s%s%s", options->operands[0], near ? "; did you mean '" : "",
			near ? near : "", near ? "'?" : "");
		return RT_USAGE;
	}
	return rt_help_about(session, about);
}

enum rt_exit rt_version(struct rt_session *session)
{
	cni_text_puts(&session->out, "cnic " CNIC_VERSION "\n");
	rt_session_json(session, "release", json_string(CNIC_VERSION));
	return RT_OK;
}
