// SPDX-License-Identifier: BSD-2-Clause
/*
 * pathsim: joins two Ethernet interfaces of one network namespace and carries frames between them
 * as a slow, lossy or breaking network would. tc netem is not in every kernel; this needs none.
 *
 * What the summary calls "partial_checksum" are frames whose sender left the checksum to its NIC
 * (ethtool -K DEV tx off was forgotten); "missed" are frames that the kernel dropped before us.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop.h"
#include "pathlink.h"

enum source { FROM_A, FROM_B, FROM_RELEASE, FROM_LIFETIME, FROM_CONTROL, FROM_SIGNAL, SOURCES };

struct options {
	const char *a, *b;
	const char *control, *log, *pcap, *pcap_dropped, *summary;
	const char *commands[32]; /* given on the command line, run before the first frame */
	size_t command_count;
	uint64_t seed;
	size_t queue;
	unsigned seconds;
};

struct simulator {
	struct pathlink link;
	int epoll;
	int fd[SOURCES];
	bool stop;
};

static const char usage[] =
	"usage: pathsim --a IFACE --b IFACE [--do COMMAND]... [options]\n"
	"  --do COMMAND      cut|heal [ab|ba], delay MS [ab|ba], jitter MS [ab|ba],\n"
	"                    loss PERCENT [ab|ba], double PERCENT [ab|ba],\n"
	"                    reorder PERCENT:MS [ab|ba],\n"
	"                    lossy PREDICATE (of loss and doubling; at first udp), drop PREDICATE, "
	"nodrop\n"
	"                    PREDICATE: any udp tcp arp icmp ip4 ip6 rtp rtcp port=N seq=N[-M]\n"
	"  --control FIFO    made here; the same commands, one a line, and quit\n"
	"  --log FILE        CSV, a line for each frame and its fate\n"
	"  --pcap FILE, --pcap-dropped FILE   the frames forwarded, the frames dropped\n"
	"  --summary FILE    JSON at the end (otherwise on standard output)\n"
	"  --seed N          of loss, jitter and reordering (1)\n"
	"  --seconds N       lifetime (60)\n"
	"  --queue N         frames under way at most (8192)\n";

static bool parse_number(const char *text, unsigned long minimum, unsigned long maximum,
			 unsigned long *out)
{
	char *rest;

	errno = 0;
	*out = strtoul(text, &rest, 10);
	return !errno && rest != text && !*rest && *out >= minimum && *out <= maximum;
}

static bool set_option(struct options *options, int option, const char *value)
{
	unsigned long number = 0;
	bool good = true;

	switch (option) {
	case 'a':
		options->a = value;
		break;
	case 'b':
		options->b = value;
		break;
	case 'c':
		options->control = value;
		break;
	case 'l':
		options->log = value;
		break;
	case 'p':
		options->pcap = value;
		break;
	case 'P':
		options->pcap_dropped = value;
		break;
	case 'S':
		options->summary = value;
		break;
	case 'd':
		good = options->command_count < 32;
		if (good)
			options->commands[options->command_count++] = value;
		break;
	case 's':
		good = parse_number(value, 0, UINT32_MAX, &number);
		options->seed = number;
		break;
	case 't':
		good = parse_number(value, 1, 86400, &number);
		options->seconds = (unsigned)number;
		break;
	case 'q':
		good = parse_number(value, 1, 1000000, &number);
		options->queue = number;
		break;
	default:
		return false;
	}
	if (!good)
		fprintf(stderr, "pathsim: value out of range: %s\n", value);
	return good;
}

static bool parse_options(struct options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{"a", required_argument, NULL, 'a'},
		{"b", required_argument, NULL, 'b'},
		{"control", required_argument, NULL, 'c'},
		{"log", required_argument, NULL, 'l'},
		{"pcap", required_argument, NULL, 'p'},
		{"pcap-dropped", required_argument, NULL, 'P'},
		{"summary", required_argument, NULL, 'S'},
		{"do", required_argument, NULL, 'd'},
		{"seed", required_argument, NULL, 's'},
		{"seconds", required_argument, NULL, 't'},
		{"queue", required_argument, NULL, 'q'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct options){.seed = 1, .seconds = 60, .queue = 8192};
	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (!set_option(options, option, optarg))
			return false;
	}
	return options->a && options->b && optind == argc;
}

static bool watch(struct simulator *sim, enum source source, int fd)
{
	sim->fd[source] = fd;
	return loop_watch(sim->epoll, source, fd);
}

static int open_lifetime(unsigned seconds)
{
	struct itimerspec when = {.it_value.tv_sec = seconds};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	timerfd_settime(fd, 0, &when, NULL);
	return fd;
}

static bool open_sources(struct simulator *sim, const struct options *options)
{
	sim->epoll = epoll_create1(EPOLL_CLOEXEC);
	return watch(sim, FROM_A, sim->link.end[0].fd) && watch(sim, FROM_B, sim->link.end[1].fd) &&
	       watch(sim, FROM_RELEASE,
		     timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) &&
	       watch(sim, FROM_LIFETIME, open_lifetime(options->seconds)) &&
	       watch(sim, FROM_SIGNAL, loop_open_signals()) &&
	       (!options->control || watch(sim, FROM_CONTROL, loop_open_control(options->control)));
}

static void run_command(const char *line, void *context)
{
	struct simulator *sim = context;

	if (strcmp(line, "quit") == 0)
		sim->stop = true;
	else if (*line && !pathlink_command(&sim->link, line))
		fprintf(stderr, "pathsim: not understood: %s\n", line);
}

static void arm_release(const struct simulator *sim, uint64_t at_ns)
{
	struct itimerspec when = {.it_value.tv_sec = (time_t)(at_ns / 1000000000u),
				  .it_value.tv_nsec = (long)(at_ns % 1000000000u)};

	timerfd_settime(sim->fd[FROM_RELEASE], TFD_TIMER_ABSTIME, &when, NULL);
}

static void handle(struct simulator *sim, enum source source)
{
	uint64_t expirations;

	switch (source) {
	case FROM_A:
		pathlink_receive(&sim->link, 0);
		break;
	case FROM_B:
		pathlink_receive(&sim->link, 1);
		break;
	case FROM_CONTROL:
		loop_read_control(sim->fd[FROM_CONTROL], run_command, sim);
		break;
	case FROM_RELEASE:
		if (read(sim->fd[FROM_RELEASE], &expirations, sizeof(expirations)) < 0)
			return; /* rearmed in between: not due after all */
		break;
	default:
		sim->stop = true;
		break;
	}
}

static void run(struct simulator *sim)
{
	struct epoll_event events[SOURCES];
	uint64_t armed = 0;

	while (!sim->stop) {
		int count = epoll_wait(sim->epoll, events, SOURCES, -1);
		uint64_t next;

		for (int i = 0; i < count; i++)
			handle(sim, (enum source)events[i].data.u32);
		next = pathlink_release(&sim->link);
		if (next != armed)
			arm_release(sim, next);
		armed = next;
	}
}

static int finish(struct simulator *sim, const struct options *options)
{
	FILE *out = options->summary ? fopen(options->summary, "w") : stdout;

	if (!out) {
		fprintf(stderr, "pathsim: %s: %s\n", options->summary, strerror(errno));
		return 1;
	}
	pathlink_summary(&sim->link, out);
	if (options->control)
		unlink(options->control);
	pathlink_close(&sim->link);
	return fclose(out) ? 1 : 0;
}

/* A path is a wire: it should not wait behind a compiler on a busy machine. */
static void ask_for_priority(void)
{
	struct sched_param parameter = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_FIFO, &parameter))
		fprintf(stderr, "pathsim: no real-time priority (%s): delays may jitter\n",
			strerror(errno));
}

int main(int argc, char **argv)
{
	struct options options;
	struct simulator sim = {0};

	if (!parse_options(&options, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	if (pathlink_open(&sim.link, options.a, options.b, options.seed, options.queue) ||
	    pathlink_log(&sim.link, options.log, options.pcap, options.pcap_dropped))
		return 1;
	for (size_t i = 0; i < options.command_count; i++) {
		if (!pathlink_command(&sim.link, options.commands[i])) {
			fprintf(stderr, "pathsim: not understood: %s\n", options.commands[i]);
			return 2;
		}
	}
	ask_for_priority();
	if (!open_sources(&sim, &options)) {
		perror("pathsim");
		return 1;
	}
	run(&sim);
	return finish(&sim, &options);
}
