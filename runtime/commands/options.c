/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - getopt over the table of options; see options.h. */
#include "runtime/commands/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/arena.h"
#include "compiler/diag.h"

#define LOCK_TIMEOUT_DEFAULT 10000 /* ms: an apply takes well below a second */
#define LETTERS_MAX (RT_N_OPTIONS * 2 + 3)

enum kind { FLAG, TEXT, LIST, CHOICE, DURATION };

static const char *const colour_words[] = { "auto", "always", "never", NULL };
static const char *const format_words[] = { "text", "json", "sarif", "github", NULL };
static const char *const report_words[] = { "text", "tap", "junit", NULL };
static const char *const emit_words[] = { "nft", "ip", "bird", "json", NULL };

#define AT(member) offsetof(struct rt_options, member)

static const struct row {
	const char *name;
	char letter; /* 0: none */
	enum kind kind;
	const char *argument; /* for help; NULL: takes none */
	size_t at; /* in struct rt_options */
	const char *const *choices; /* the index is the value */
	const char *help;
} rows[RT_N_OPTIONS] = {
	[RT_OPT_CHECK] = { "check", 0, FLAG, NULL, AT(check), NULL,
			   "list the files that are not formatted, exit 1 if any" },
	[RT_OPT_CONFIRM] = { "confirm", 0, DURATION, "D", AT(confirm), NULL,
			     "go back by itself unless `cnic confirm` comes within this time" },
	[RT_OPT_DETAILED_EXITCODE] = { "detailed-exitcode", 0, FLAG, NULL, AT(detailed_exitcode), NULL,
				       "exit 2 when there is something to change" },
	[RT_OPT_DIFF] = { "diff", 0, FLAG, NULL, AT(diff), NULL, "show what formatting would change" },
	[RT_OPT_DOWN] = { "down", 0, LIST, "A,B", AT(down), NULL, "on a day when these links or tunnels are down" },
	[RT_OPT_DRY_RUN] = { "dry-run", 'n', FLAG, NULL, AT(dry_run), NULL, "show the plan and change nothing" },
	[RT_OPT_EACH_FAILURE] = { "each-failure", 0, FLAG, NULL, AT(each_failure), NULL,
				  "also on each day when one link or tunnel is down" },
	[RT_OPT_EMIT] = { "emit", 0, CHOICE, "nft|ip|bird|json", AT(emit), emit_words,
			  "what to write: nftables rules, ip commands, BIRD's part, or JSON" },
	[RT_OPT_FORMAT] = { "format", 0, CHOICE, "text|tap|junit", AT(format), report_words,
			    "how the results are written" },
	[RT_OPT_GATE] = { "gate", 0, FLAG, NULL, AT(gate), NULL,
			  "confirm by itself once what is tracked and the caller answer" },
	[RT_OPT_HOOK_TIMEOUT] = { "hook-timeout", 0, DURATION, "D", AT(hook_timeout), NULL,
				  "when a command of --on-change is killed (default 10s)" },
	[RT_OPT_IGNORE] = { "ignore", 0, LIST, "PATTERN", AT(ignore), NULL,
			    "leave out differences that match, with * and ? as for files" },
	[RT_OPT_LIVE] = { "live", 0, FLAG, NULL, AT(live), NULL, "ask what is installed, and the kernel itself" },
	[RT_OPT_LOCK_TIMEOUT] = { "lock-timeout", 0, DURATION, "D", AT(lock_timeout), NULL,
				  "how long to wait for another writer (500ms, 10s, 2m; default 10s)" },
	[RT_OPT_MAX_NODES] = { "max-nodes", 0, TEXT, "N", AT(max_nodes), NULL,
			       "room for diagrams, at 40 bytes each (20000000; plan: 2000000)" },
	[RT_OPT_MESSAGE] = { "message", 'm', TEXT, "TEXT", AT(message), NULL, "a word on this change for the history" },
	[RT_OPT_METRICS_FILE] = { "metrics-file", 0, TEXT, "FILE", AT(metrics_file), NULL,
				  "write metrics for Prometheus' node_exporter there" },
	[RT_OPT_METRICS_LISTEN] = { "metrics-listen", 0, TEXT, "[ADDRESS:]PORT", AT(metrics_listen), NULL,
				    "give metrics to Prometheus by HTTP, on a loopback address" },
	[RT_OPT_NETNS] = { "netns", 0, TEXT, "NAME", AT(netns), NULL,
			   "work in this network namespace: a name of ip-netns(8), or a path" },
	[RT_OPT_NO_WAIT] = { "no-wait", 0, FLAG, NULL, AT(no_wait), NULL,
			     "with --confirm: return as soon as the change is made" },
	[RT_OPT_ON_CHANGE] = { "on-change", 0, TEXT, "COMMAND", AT(on_change), NULL,
			       "run this when a link or tunnel goes down or comes up" },
	[RT_OPT_PROVE] = { "prove", 0, FLAG, NULL, AT(prove), NULL,
			   "prove that what is sent, or installed, does what the policy says" },
	[RT_OPT_RULES] = { "rules", 0, FLAG, NULL, AT(rules), NULL,
			   "show what differs in the rules on an empty router" },
	[RT_OPT_SET] = { "set", 0, LIST, "NAME=VALUE", AT(sets), NULL, "give a variable of the policy its value" },
	[RT_OPT_SHADOWED] = { "shadowed", 0, FLAG, NULL, AT(shadowed), NULL,
			      "also tell what each route loses to earlier ones, and what is left" },
	[RT_OPT_STATE] = { "state", 0, TEXT, "FILE", AT(state), NULL,
			   "for a router that is as a file of `cnic snapshot` says" },
	[RT_OPT_STATE_DIR] = { "state-dir", 0, TEXT, "DIR", AT(state_dir), NULL,
			       "where revisions are kept ($CNIC_STATE_DIR, or /var/lib/cnic)" },
	[RT_OPT_STATS] = { "stats", 0, FLAG, NULL, AT(stats), NULL,
			   "how packets are decided: layers, maps, and what a new flow meets" },
	[RT_OPT_SYSLOG] = { "syslog", 0, FLAG, NULL, AT(syslog), NULL, "tell of changes by syslog" },
	[RT_OPT_TEXT] = { "text", 0, FLAG, NULL, AT(text), NULL, "show what differs in the policies' texts" },
	[RT_OPT_TWIN] = { "twin", 0, FLAG, NULL, AT(twin), NULL,
			  "try one packet of each class in kernels of their own" },
	[RT_OPT_WATCH] = { "watch", 0, FLAG, NULL, AT(watch), NULL,
			   "show it again and again; with --json: each change, a line each" },
	[RT_OPT_WRITE] = { "write", 'w', FLAG, NULL, AT(write), NULL, "write the files in place" },
	[RT_OPT_YES] = { "yes", 'y', FLAG, NULL, AT(yes), NULL, "do not ask" },
	[RT_OPT_COLOR] = { "color", 0, CHOICE, "auto|always|never", AT(colour), colour_words,
			   "colours; auto: on a terminal, unless NO_COLOR is set" },
	[RT_OPT_DIAGNOSTICS] = { "diagnostics", 0, CHOICE, "text|json|sarif|github", AT(diagnostics), format_words,
				 "the format of errors and warnings" },
	[RT_OPT_JSON] = { "json", 0, FLAG, NULL, AT(json), NULL, "one JSON document, diagnostics included" },
	[RT_OPT_NO_INPUT] = { "no-input", 0, FLAG, NULL, AT(no_input), NULL, "never ask, as without a terminal" },
	[RT_OPT_OUTPUT] = { "output", 'o', TEXT, "FILE", AT(output), NULL, "write there instead of standard output" },
	[RT_OPT_QUIET] = { "quiet", 'q', FLAG, NULL, AT(quiet), NULL, "no messages but errors" },
	[RT_OPT_VERBOSE] = { "verbose", 'v', FLAG, NULL, AT(verbose), NULL, "say more of what is done" },
	[RT_OPT_HELP] = { "help", 'h', FLAG, NULL, AT(help), NULL, "this help" },
	[RT_OPT_VERSION] = { "version", 'V', FLAG, NULL, AT(version), NULL, "the version" },
};

bool rt_duration(const char *text, unsigned int *ms)
{
	static const struct {
		const char *unit;
		unsigned int ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	unsigned long long n = 0;
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9)
		return false;
	n = strtoull(text, NULL, 10);
	*ms = 0;
	if (!n && !text[digits])
		return true;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(text + digits, units[i].unit) && n * units[i].ms <= 86400000) {
			*ms = (unsigned int)n * units[i].ms;
			return true;
		}
	return false;
}

static bool choose(const struct row *row, const char *text, unsigned int *value)
{
	for (*value = 0; row->choices[*value]; ++*value)
		if (!strcmp(row->choices[*value], text))
			return true;
	return false;
}

static bool store(struct cni_arena *arena, struct rt_options *options, enum rt_option_id id, const char *text,
		  struct cni_text *error)
{
	const struct row *row = &rows[id];
	void *at = (char *)options + row->at;
	const char *near;
	unsigned int value;

	switch (row->kind) {
	case FLAG:
		*(bool *)at = true;
		return true;
	case TEXT:
		*(const char **)at = text;
		return true;
	case LIST:
		*cni_push(arena, ((struct rt_words *)at)->items, ((struct rt_words *)at)->n_items) = text;
		return true;
	case CHOICE:
		if (choose(row, text, &value)) {
			*(unsigned int *)at = value;
			options->has_emit |= id == RT_OPT_EMIT;
			return true;
		}
		near = cni_did_you_mean(text, row->choices);
		cni_text_printf(error, "--%s: '%s' is none of %s", row->name, text, row->argument);
		if (near)
			cni_text_printf(error, "; did you mean '%s'?", near);
		return false;
	case DURATION:
		if (rt_duration(text, (unsigned int *)at) && (id == RT_OPT_LOCK_TIMEOUT || *(unsigned int *)at))
			return true;
		cni_text_printf(error, "--%s: '%s' is no time of at most a day%s; write 500ms, 10s or 2m", row->name,
				text, id == RT_OPT_LOCK_TIMEOUT ? "" : " and more than none");
		return false;
	}
	return false;
}

/* ---- getopt ---- */

/* What getopt reads, for the options in `mask`: `letters` begins with `first`, which says how operands are met. */
struct grammar {
	char letters[LETTERS_MAX];
	struct option names[RT_N_OPTIONS + 1];
	const char *words[RT_N_OPTIONS + 1];
};

static void make_grammar(struct grammar *grammar, uint64_t mask, const char *first)
{
	char *letter = stpcpy(grammar->letters, first);
	size_t n = 0;

	for (unsigned int id = 0; id < RT_N_OPTIONS; id++) {
		const struct row *row = &rows[id];

		if (!(mask & RT_BIT(id)))
			continue;
		grammar->words[n] = row->name;
		grammar->names[n++] = (struct option){ row->name, row->argument ? required_argument : no_argument, NULL,
						       256 + (int)id };
		if (!row->letter)
			continue;
		*letter++ = row->letter;
		if (row->argument)
			*letter++ = ':';
	}
	*letter = '\0';
	grammar->names[n] = (struct option){ 0 };
	grammar->words[n] = NULL;
}

/* getopt's result as an option; RT_N_OPTIONS: none. */
static enum rt_option_id option_of(int got)
{
	unsigned int id = 0;

	if (got >= 256)
		return (enum rt_option_id)(got - 256);
	while (id < RT_N_OPTIONS && rows[id].letter != got)
		id++;
	return (enum rt_option_id)id;
}

static void unknown(struct cni_arena *arena, const struct grammar *grammar, const char *word, struct cni_text *error)
{
	const char *near = NULL;

	if (optopt >= 256) {
		cni_text_printf(error, "option '--%s' takes no value", rows[optopt - 256].name);
		return;
	}
	if (optopt) {
		cni_text_printf(error, "unknown option '-%c'", optopt);
		return;
	}
	word = cni_strndup(arena, word + 2, strcspn(word + 2, "="));
	near = cni_did_you_mean(word, grammar->words);
	cni_text_printf(error, "unknown option '--%s'", word);
	if (near)
		cni_text_printf(error, "; did you mean '--%s'?", near);
}

static bool read_options(struct cni_arena *arena, int argc, char **argv, const struct grammar *grammar,
			 struct rt_options *options, struct cni_text *error)
{
	int got;

	opterr = 0;
	while ((got = getopt_long(argc, argv, grammar->letters, grammar->names, NULL)) != -1) {
		enum rt_option_id id;

		if (got == ':') {
			id = option_of(optopt);
			cni_text_printf(error, "option '--%s' needs a value: %s", rows[id].name, rows[id].argument);
			return false;
		}
		if (got == '?') {
			unknown(arena, grammar, argv[optind - 1], error);
			return false;
		}
		if (!store(arena, options, option_of(got), optarg, error))
			return false;
	}
	return true;
}

static bool find_command(const char *word, struct rt_options *options, struct cni_text *error)
{
	const char *near;

	options->command = rt_command_find(word);
	if (options->command)
		return true;
	near = rt_command_suggest(word);
	cni_text_printf(error, "unknown command '%s'", word);
	if (near)
		cni_text_printf(error, "; did you mean '%s'?", near);
	return false;
}

static bool enough(const struct rt_options *options, struct cni_text *error)
{
	const struct rt_command *command = options->command;

	if (options->n_operands < command->min_operands)
		cni_text_printf(error, "%s: %s is missing", command->name, command->operands);
	else if (options->n_operands > command->max_operands)
		cni_text_printf(error, "%s: '%s' is one too many", command->name,
				options->operands[command->max_operands]);
	else
		return true;
	return false;
}

bool rt_options_parse(struct cni_arena *arena, int argc, char **argv, struct rt_options *options,
		      struct cni_text *error)
{
	struct grammar grammar;

	*options = (struct rt_options){ .lock_timeout = LOCK_TIMEOUT_DEFAULT };
	make_grammar(&grammar, RT_COMMON_OPTIONS, "+:");
	optind = 1;
	if (!read_options(arena, argc, argv, &grammar, options, error))
		return false;
	if (optind >= argc && !options->help && !options->version)
		cni_text_puts(error, "no command given");
	if (optind >= argc)
		return !error->len;
	if (!find_command(argv[optind], options, error))
		return false;
	/* getopt takes the command for the program's name, and begins anew */
	argc -= optind;
	argv += optind;
	optind = 0;
	make_grammar(&grammar, RT_COMMON_OPTIONS | options->command->options, ":");
	if (!read_options(arena, argc, argv, &grammar, options, error))
		return false;
	for (int i = optind; i < argc; i++)
		*cni_push(arena, options->operands, options->n_operands) = argv[i];
	if (options->output && !strcmp(options->output, "-"))
		options->output = NULL;
	options->json |= options->has_emit && options->emit == RT_EMIT_JSON;
	return options->help || options->version || enough(options, error);
}

void rt_options_help(struct cni_text *out, uint64_t mask)
{
	for (unsigned int id = 0; id < RT_N_OPTIONS; id++) {
		const struct row *row = &rows[id];
		size_t start = out->len, width;

		if (!(mask & RT_BIT(id)))
			continue;
		if (row->letter)
			cni_text_printf(out, "  -%c, --%s", row->letter, row->name);
		else
			cni_text_printf(out, "      --%s", row->name);
		if (row->argument)
			cni_text_printf(out, "%s%s", row->kind == CHOICE ? "=" : " ", row->argument);
		width = out->len - start;
		cni_text_printf(out, "%s%*s%s\n", width > 28 ? "\n" : "", width > 28 ? 30 : (int)(30 - width), "",
				row->help);
	}
}
