/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - see log.h. */
#include "runtime/track/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define CHANGED "33c8e91aaeed47b4a0af534780b056e0"
#define HOOK "a695dacc6d2846edb22dfcf9107de87a"
#define ROOM 1024 /* for a line, or its fields: names have 64 characters at most, devices 15 */

/* Whether standard error is the journal's, and the variable is not what somebody left in the environment. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && !fstat(STDERR_FILENO, &st) &&
	       st.st_dev == device && st.st_ino == inode;
}

static int datagram(bool wanted, int *fd)
{
	*fd = wanted ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	return wanted && *fd < 0 ? -errno : 0;
}

int rt_track_log_open(struct rt_track_log *log, bool with_syslog, bool verbose, bool quiet)
{
	int rc;

	*log = (struct rt_track_log){ .journal = -1, .syslog = -1, .verbose = verbose, .quiet = quiet };
	tzset(); /* reads a file: a confined tracker cannot */
	rc = datagram(is_journal(), &log->journal);
	if (!rc)
		rc = datagram(with_syslog, &log->syslog);
	if (rc)
		rt_track_log_close(log);
	return rc;
}

void rt_track_log_close(struct rt_track_log *log)
{
	if (log->journal >= 0)
		close(log->journal);
	if (log->syslog >= 0)
		close(log->syslog);
	log->journal = log->syslog = -1;
}

/* ---- one line, everywhere ---- */

struct line {
	int priority; /* of syslog(3) */
	char message[ROOM];
	char fields[ROOM]; /* of the journal: "NAME=VALUE\n", each */
};

static void add(char text[ROOM], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char text[ROOM], const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, ROOM - len, format, args);
	va_end(args);
}

/* Connected to nobody: a reader that is started anew is found by its name. */
static void send_to(struct rt_track_log *log, int fd, const char *name, const char *text, int len)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	strcpy(to.sun_path, name);
	if (sendto(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof(to)) < 0)
		log->n_dropped++;
}

/* A pipe that is ready to be written to takes PIPE_BUF bytes without waiting (pipe(7)). */
static void to_stderr(struct rt_track_log *log, const char *text, int len)
{
	struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&err, 1, 0) != 1 || write(STDERR_FILENO, text, (size_t)len) < 0)
		log->n_dropped++;
}

static void emit(struct rt_track_log *log, const struct line *line)
{
	char text[sizeof(*line) + 128], when[32];
	time_t now = time(NULL);
	struct tm local;

	if (log->journal >= 0)
		send_to(log, log->journal, "/run/systemd/journal/socket", text,
			snprintf(text, sizeof(text), "MESSAGE=%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=cnic\n%s",
				 line->message, line->priority, line->fields));
	/* RFC 3164, 4.1.2: local time, a day below 10 with a space before it */
	if (log->syslog >= 0 && localtime_r(&now, &local) && strftime(when, sizeof(when), "%b %e %T", &local))
		send_to(log, log->syslog, "/dev/log", text,
			snprintf(text, sizeof(text), "<%d>%s cnic[%d]: %s", LOG_DAEMON | line->priority, when,
				 (int)getpid(), line->message));
	if (log->journal < 0 && !log->quiet && (log->verbose || line->priority <= LOG_ERR))
		to_stderr(log, text, snprintf(text, sizeof(text), "cnic: %s\n", line->message));
}

/* ---- what is told ---- */

/* A device's name may hold any byte but a blank and a slash: a newline would end the field. */
static const char *clean(const char *name, char text[RT_TRACK_NAME])
{
	size_t i = 0;

	for (; name && name[i] && i + 1 < RT_TRACK_NAME; i++)
		text[i] = (unsigned char)name[i] < ' ' ? '?' : name[i];
	text[i] = '\0';
	return text;
}

static const char *plural(unsigned int n)
{
	return n == 1 ? "" : "s";
}

void rt_track_log_event(struct rt_track_log *log, const struct rt_track_event *event)
{
	const char *state = rt_track_state_words[event->target->state], *before = rt_track_state_words[event->before];
	const char *reason = rt_track_reason_words[event->target->reason];
	char name[RT_TRACK_NAME], device[RT_TRACK_NAME];
	struct line line = { .priority = event->error				 ? LOG_ERR
					 : event->target->state == RT_TRACK_DOWN ? LOG_WARNING
										 : LOG_NOTICE };

	clean(event->target->name, name);
	clean(event->target->device, device);
	add(line.message, "%s is %s (%s), was %s", name, state, reason, before);
	if (event->n_routes)
		add(line.message, "; %u route%s in %.3f ms", event->n_routes, plural(event->n_routes),
		    (double)event->took / 1e6);
	if (event->n_flows)
		add(line.message, "; %u flow%s moved", event->n_flows, plural(event->n_flows));
	if (event->error)
		add(line.message, "; the kernel refused the change of routes: %s", strerror(-event->error));
	add(line.fields,
	    "MESSAGE_ID=" CHANGED "\nCNIC_TARGET=%s\nCNIC_DEVICE=%s\nCNIC_BEFORE=%s\nCNIC_STATE=%s\nCNIC_REASON=%s\n",
	    name, device, before, state, reason);
	add(line.fields, "CNIC_SWITCH_USEC=%" PRIu64 "\nCNIC_ROUTES=%u\nCNIC_FLOWS=%u\n", event->took / 1000,
	    event->n_routes, event->n_flows);
	if (event->error)
		add(line.fields, "ERRNO=%d\n", -event->error);
	emit(log, &line);
}

void rt_track_log_hook(struct rt_track_log *log, const struct rt_hook_end *end)
{
	struct line line = { .priority = LOG_WARNING };
	char name[RT_TRACK_NAME], state[RT_TRACK_NAME];

	add(line.message, "on-change for %s, %s: ", clean(end->target, name), clean(end->state, state));
	add(line.fields, "MESSAGE_ID=" HOOK "\nCNIC_TARGET=%s\nCNIC_STATE=%s\n", name, state);
	if (end->unstarted) {
		add(line.message, "the command cannot be run: %s", strerror(end->status));
		add(line.fields, "ERRNO=%d\n", end->status);
	} else if (WIFSIGNALED(end->status)) {
		add(line.message, "%s by signal %d", end->timed_out ? "took too long, and was ended" : "ended",
		    WTERMSIG(end->status));
		add(line.fields, "EXIT_SIGNAL=%d\n", WTERMSIG(end->status));
	} else {
		add(line.message, "exit status %d", WEXITSTATUS(end->status));
		add(line.fields, "EXIT_STATUS=%d\n", WEXITSTATUS(end->status));
		if (!WEXITSTATUS(end->status))
			line.priority = LOG_INFO;
	}
	emit(log, &line);
}

void rt_track_log_say(struct rt_track_log *log, const char *message)
{
	struct line line = { .priority = LOG_ERR };

	add(line.message, "%s", message);
	emit(log, &line);
}
