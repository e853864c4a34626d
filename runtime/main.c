/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - reads the command line, runs the command, prints what it has to say. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "runtime/commands/help.h"
#include "runtime/commands/netns.h"
#include "runtime/commands/output.h"
#include "runtime/commands/session.h"

/* A descriptor 0, 1 or 2 that is closed would be a socket's next, and messages would go to the kernel. What is put
 * in its place cannot be written to, so that writing still fails. */
static void fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Whether JSON is wanted, wherever on a command line that was not understood it says so. */
static bool wants_json(int argc, char **argv)
{
	bool wanted = false;

	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		wanted |= !strcmp(argv[i], "--json");
	return wanted;
}

static enum rt_exit misused(struct cni_arena *arena, const struct rt_options *options, const char *error)
{
	const struct rt_command *command = options->command;
	struct rt_session *session = rt_session_new(arena, options);
	const char *text =
		cni_printf(arena, "Try 'cnic %s%s'.\n", command ? command->name : "help", command ? " --help" : "");
	enum rt_exit status;

	rt_fail(session, "%s", error);
	status = rt_session_end(session, RT_USAGE);
	(void)rt_write_all(STDERR_FILENO, text, strlen(text));
	return status;
}

static enum rt_exit run(struct rt_session *session, struct rt_options *options)
{
	const struct rt_command *command = options->command;

	if (options->version || options->help)
		options->command = rt_command_find(options->version ? "version" : "help");
	if (options->version)
		return rt_version(session);
	if (options->help)
		return rt_help_about(session, command);
	if (options->netns && !rt_netns_enter(session, options->netns))
		return RT_ERROR;
	return command->run(session);
}

int main(int argc, char **argv)
{
	struct cni_arena *arena = cni_arena_new();
	struct cni_text error = { .arena = arena };
	struct rt_session *session;
	struct rt_options options;
	enum rt_exit status;

	fill_descriptors();
	signal(SIGPIPE, SIG_IGN); /* a reader that is gone is an error like any other */
	if (rt_options_parse(arena, argc, argv, &options, &error)) {
		session = rt_session_new(arena, &options);
		status = rt_session_end(session, run(session, &options));
	} else {
		/* the rest of it is not to be trusted */
		options = (struct rt_options){ .command = options.command, .json = wants_json(argc, argv) };
		status = misused(arena, &options, error.data);
	}
	cni_arena_free(arena);
	return (int)status;
}
