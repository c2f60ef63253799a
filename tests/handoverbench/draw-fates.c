// SPDX-License-Identifier: BSD-2-Clause
/*
 * draw-fates OUT.svg TITLE MARK... -- LABEL SENDER.csv RECEIVER.csv [LABEL SENDER.csv RECEIVER.csv
 * ...]
 *
 * A strip for each direction of each relay: a bar for every packet, at the time at which it was
 * sent; its colour says whether the application got it once, more than once or never. MARK:
 * SECONDS=TEXT, on all strips.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/drawing.h"
#include "../lib/rtplog.h"

#define WIDTH 1280.0
#define LEFT 330.0
#define RIGHT 40.0
#define TOP 118.0
#define STRIP 40.0
#define BAR 26.0

#define ONCE "#9fbfd8"
#define DOUBLED "#e8710a"
#define LOST "#c5161d"

struct strip {
	struct rtp_log sender, receiver;
	struct rtp_summary summary;
	unsigned char *times; /* received, by index of the packet; at most 255 */
	uint64_t first_ns;
};

static void close_strip(struct strip *strip)
{
	rtp_log_free(&strip->sender);
	rtp_log_free(&strip->receiver);
	free(strip->times);
}

static bool open_strip(struct strip *strip, const char *sender, const char *receiver)
{
	memset(strip, 0, sizeof(*strip));
	if (!rtp_log_read(&strip->sender, sender) || !rtp_log_read(&strip->receiver, receiver) ||
	    !rtp_analyse(&strip->summary, &strip->sender, &strip->receiver) || !strip->summary.sent)
		return false;
	strip->times = calloc(strip->summary.sent, 1);
	if (!strip->times)
		return false;
	for (size_t i = 0; i < strip->receiver.count; i++) {
		const struct rtp_record *r = &strip->receiver.record[i];

		/* RTP_COPY is what the receiver itself removes: its application does not get it. */
		if (r->kind == RTP_RECEIVED &&
		    (r->verdict == RTP_FIRST || r->verdict == RTP_DOUBLED) && r->index >= 0 &&
		    r->index < (int64_t)strip->summary.sent)
			strip->times[r->index] = (unsigned char)(strip->times[r->index] + 1);
	}
	return true;
}

static const char *colour_of(unsigned times)
{
	return times == 0 ? LOST : times == 1 ? ONCE : DOUBLED;
}

static void draw_packets(struct drawing *drawing, const struct plot *plot,
			 const struct strip *strip)
{
	double width = plot->width / (plot->x_max * 50);
	uint64_t start_ns = 0;

	for (size_t i = 0; i < strip->sender.count; i++) {
		const struct rtp_record *r = &strip->sender.record[i];

		if (r->kind != RTP_SENT || r->index < 0 || r->index >= (int64_t)strip->summary.sent)
			continue;
		if (!start_ns)
			start_ns = r->time_ns;
		draw_rect(drawing, plot_x(plot, (double)(r->time_ns - start_ns) / 1e9), plot->top,
			  width, plot->height, colour_of(strip->times[r->index]), "none");
	}
}

static void draw_strip(struct drawing *drawing, const struct plot *plot, const struct strip *strip,
		       const char *label)
{
	const struct text_style name = {14, "#222222", ANCHOR_START, 0};
	const struct text_style count = {12, "#666666", ANCHOR_START, 0};
	char text[128];

	draw_text(drawing, 24, plot->top + 11, &name, label);
	snprintf(text, sizeof(text), "sent %llu, lost %llu, doubled %llu",
		 (unsigned long long)strip->summary.sent, (unsigned long long)strip->summary.lost,
		 (unsigned long long)strip->summary.doubled);
	draw_text(drawing, 24, plot->top + 27, &count, text);
	draw_packets(drawing, plot, strip);
}

static double draw_key(struct drawing *drawing, double x, const char *colour, const char *text)
{
	const struct text_style style = {13, "#222222", ANCHOR_START, 0};

	draw_rect(drawing, x, 60, 14, 14, colour, "none");
	draw_text(drawing, x + 20, 72, &style, text);
	return x + 60 + 7.2 * (double)strlen(text);
}

static void draw_head(struct drawing *drawing, const char *title)
{
	const struct text_style style = {21, "#222222", ANCHOR_START, 1};
	double x = 24;

	draw_text(drawing, 24, 38, &style, title);
	x = draw_key(drawing, x, ONCE, "the application got it once");
	x = draw_key(drawing, x, DOUBLED, "more than once");
	draw_key(drawing, x, LOST, "never");
}

/* Seconds, and what is on at each of them. */
static void draw_mark(struct drawing *drawing, const struct plot *plot, const char *mark)
{
	const struct text_style style = {12, "#444444", ANCHOR_START, 0};
	const char *text = strchr(mark, '=');
	double x = plot_x(plot, atof(mark));

	draw_line(drawing, x, TOP - 20, x, plot->top, "#444444", 1, "4 3");
	draw_text(drawing, x + 4, TOP - 12, &style, text ? text + 1 : mark);
}

static void label_second(char out[32], double value, const void *context)
{
	(void)context;
	snprintf(out, 32, "%.0f s", value);
}

static int draw_strips(struct drawing *drawing, struct plot *plot, int count, char **argument)
{
	for (int i = 0; i + 2 < count; i += 3, plot->top += STRIP) {
		struct strip strip;

		if (!open_strip(&strip, argument[i + 1], argument[i + 2])) {
			fprintf(stderr, "draw-fates: %s, %s: no packets\n", argument[i + 1],
				argument[i + 2]);
			close_strip(&strip);
			return -1;
		}
		draw_strip(drawing, plot, &strip, argument[i]);
		close_strip(&strip);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct plot plot = {.left = LEFT,
			    .top = TOP,
			    .width = WIDTH - LEFT - RIGHT,
			    .height = BAR,
			    .x_max = 13.2};
	struct drawing drawing;
	int marks = 3, ret;

	while (marks < argc && strcmp(argv[marks], "--") != 0)
		marks++;
	if (marks >= argc || (argc - marks - 1) % 3 || argc - marks < 4) {
		fputs("usage: draw-fates OUT TITLE SECONDS=TEXT... -- LABEL SENDER RECEIVER ...\n",
		      stderr);
		return 2;
	}
	if (drawing_open(&drawing, argv[1], WIDTH, TOP + STRIP * (argc - marks - 1) / 3 + 40)) {
		fprintf(stderr, "draw-fates: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	draw_head(&drawing, argv[2]);
	ret = draw_strips(&drawing, &plot, argc - marks - 1, argv + marks + 1);
	for (int i = 3; i < marks; i++)
		draw_mark(&drawing, &plot, argv[i]);
	plot.height = plot.top - TOP;
	plot.top = TOP;
	draw_x_axis(&drawing, &plot, 1, label_second, NULL, "");
	return drawing_close(&drawing) || ret ? 1 : 0;
}
