// SPDX-License-Identifier: BSD-2-Clause
#include "picture.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define PAGE_WIDTH 1540.0
#define HEAD_HEIGHT 132.0
#define LINE_HEIGHT 18.0
#define LINE_LENGTH 200u /* characters of the page's width */
#define PANEL_HEIGHT 500.0
#define MOVE_HEIGHT 240.0 /* for each handover beyond the first */
#define CLOSE_WIDTH 350.0

#define INK "#222222"
#define SOFT "#666666"
#define APPLICATION "#333333"
#define SHADE "#f7f0d8"
#define LOST "#d62728"

static const char *const path_colour[RTP_PATHS] = {"#1f77b4", "#e8710a"};

static double since_start(const struct picture *picture, uint64_t time_ns)
{
	return ((double)time_ns - (double)picture->start_ns) / 1e9;
}

/* ---- labels -----------------------------------------------------------------------------------
 */

static void label_number(char out[32], double value, const void *context)
{
	(void)context;
	snprintf(out, 32, "%g", round(value * 100) / 100);
}

/* A packet's number since the start as the sequence number that it carries. */
static void label_sequence(char out[32], double value, const void *context)
{
	const struct direction *direction = context;

	snprintf(out, 32, "%u", (uint16_t)(direction->first_sequence + (int64_t)value));
}

/* ---- what is drawn into a plot ----------------------------------------------------------------
 */

static void begin_plot(struct picture *picture, const struct plot *plot)
{
	for (unsigned i = 0; i < picture->moves; i++) {
		double from = fmax(picture->move[i].join, plot->x_min);
		double to = fmin(picture->move[i].leave, plot->x_max);

		if (to > from)
			draw_rect(&picture->drawing, plot_x(plot, from), plot->top,
				  plot_x(plot, to) - plot_x(plot, from), plot->height, SHADE,
				  "none");
	}
}

static void draw_marks(struct picture *picture, const struct plot *plot)
{
	for (unsigned i = 0; i < picture->marks; i++) {
		double x = plot_x(plot, picture->mark[i].time);

		if (picture->mark[i].time > plot->x_min && picture->mark[i].time < plot->x_max)
			draw_line(&picture->drawing, x, plot->top, x, plot->top + plot->height,
				  SOFT, 1, "4 3");
	}
}

static void draw_copy(struct picture *picture, double x, double y, const struct copy *copy,
		      double radius)
{
	const char *colour = path_colour[copy->path];

	if (!copy->arrived)
		draw_cross(&picture->drawing, x, y, radius, LOST);
	else
		draw_circle(&picture->drawing, x, y, radius, copy->first ? colour : "#ffffff",
			    colour);
}

static void draw_copies(struct picture *picture, const struct direction *direction,
			const struct plot *plot, double radius)
{
	for (size_t i = 0; i < direction->copies; i++) {
		const struct copy *copy = &direction->copy[i];
		double time = since_start(picture, copy->time_ns);
		double index = (double)copy->index;

		if (plot_holds(plot, time, index))
			draw_copy(picture, plot_x(plot, time), plot_y(plot, index), copy, radius);
	}
}

/* What the application got: a line through the packets in the order in which they came. */
static void draw_application(struct picture *picture, const struct direction *direction,
			     const struct plot *plot, double width, const char *colour)
{
	const struct rtp_record *before = NULL;

	for (size_t i = 0; i < direction->receiver.count; i++) {
		const struct rtp_record *r = &direction->receiver.record[i];

		if (r->kind != RTP_RECEIVED || r->verdict != RTP_FIRST)
			continue;
		if (before && plot_holds(plot, since_start(picture, r->time_ns), (double)r->index))
			draw_line(&picture->drawing,
				  plot_x(plot, since_start(picture, before->time_ns)),
				  plot_y(plot, (double)before->index),
				  plot_x(plot, since_start(picture, r->time_ns)),
				  plot_y(plot, (double)r->index), colour, width, NULL);
		before = r;
	}
}

/* From the moment of sending to each copy's arrival. */
static void draw_flights(struct picture *picture, const struct direction *direction,
			 const struct plot *plot)
{
	for (size_t i = 0; i < direction->copies; i++) {
		const struct copy *copy = &direction->copy[i];
		double sent = since_start(picture, direction->sent_ns[copy->index]);
		double time = since_start(picture, copy->time_ns);
		double y = plot_y(plot, (double)copy->index);

		if ((double)copy->index < plot->y_min || (double)copy->index > plot->y_max)
			continue;
		draw_line(&picture->drawing, plot_x(plot, sent), y, plot_x(plot, time), y,
			  path_colour[copy->path], 0.6, NULL);
		draw_rect(&picture->drawing, plot_x(plot, sent) - 1.5, y - 1.5, 3, 3, "#888888",
			  "none");
	}
}

/* ---- the plots of a direction -----------------------------------------------------------------
 */

static void draw_overview(struct picture *picture, const struct direction *direction,
			  const struct plot *plot)
{
	begin_plot(picture, plot);
	draw_x_axis(&picture->drawing, plot, 1, label_number, NULL, "");
	draw_y_axis(&picture->drawing, plot, 100, label_sequence, direction, "sequence number");
	draw_marks(picture, plot);
	draw_clip(&picture->drawing, plot);
	draw_application(picture, direction, plot, 10, "#d4d4d4");
	draw_copies(picture, direction, plot, 1.3);
	draw_unclip(&picture->drawing);
	draw_frame(&picture->drawing, plot);
}

static void draw_delays(struct picture *picture, const struct direction *direction,
			const struct plot *plot)
{
	begin_plot(picture, plot);
	draw_x_axis(&picture->drawing, plot, 1, label_number, NULL, "seconds");
	draw_y_axis(&picture->drawing, plot, 50, label_number, NULL, "delay, ms");
	draw_marks(picture, plot);
	for (size_t i = 0; i < direction->copies; i++) {
		const struct copy *copy = &direction->copy[i];
		double time = since_start(picture, copy->time_ns);
		double delay =
			((double)copy->time_ns - (double)direction->sent_ns[copy->index]) / 1e6;

		delay = fmin(delay, plot->y_max);
		if (plot_holds(plot, time, delay))
			draw_copy(picture, plot_x(plot, time), plot_y(plot, delay), copy, 2.2);
	}
	draw_frame(&picture->drawing, plot);
}

/* Half a second around a moment, every packet to be seen. */
static void draw_close(struct picture *picture, const struct direction *direction,
		       struct plot *plot, double moment, const char *heading)
{
	const struct text_style style = {12.5, INK, ANCHOR_START, 1};
	double first = since_start(picture, direction->sent_ns[0]);
	double last = since_start(picture, direction->sent_ns[direction->summary.sent - 1]);
	double rate = (double)(direction->summary.sent - 1) / (last - first);

	plot->x_min = moment - 0.12;
	plot->x_max = moment + 0.34;
	plot->y_min = floor((plot->x_min - 0.02 - first) * rate);
	plot->y_max = ceil((plot->x_max - 0.005 - first) * rate);
	draw_text(&picture->drawing, plot->left, plot->top - 9, &style, heading);
	begin_plot(picture, plot);
	draw_x_axis(&picture->drawing, plot, 0.1, label_number, NULL, "seconds");
	draw_y_axis(&picture->drawing, plot, 5, label_sequence, direction, "");
	draw_marks(picture, plot);
	draw_clip(&picture->drawing, plot);
	draw_flights(picture, direction, plot);
	draw_application(picture, direction, plot, 1.6, APPLICATION);
	draw_copies(picture, direction, plot, 4.2);
	draw_unclip(&picture->drawing);
	draw_frame(&picture->drawing, plot);
}

static void write_counts(const struct direction *direction, char *out, size_t size)
{
	const struct rtp_summary *s = &direction->summary;
	char reordered[64] = "0";

	if (s->reordered)
		snprintf(reordered, sizeof(reordered), "%" PRIu64 " (at most %" PRIu64 " behind)",
			 s->reordered, s->depth);
	snprintf(out, size,
		 "sent %" PRIu64 ", received once %" PRIu64 ", lost %" PRIu64 ", doubled %" PRIu64
		 ", reordered %s; %" PRIu64 " second copies removed by %s",
		 s->sent, s->once, s->lost, s->doubled, reordered, direction->removed,
		 direction->remover);
}

static double panel_height(const struct picture *picture)
{
	return PANEL_HEIGHT + (picture->moves > 1 ? MOVE_HEIGHT * (picture->moves - 1) : 0);
}

/* One row for each handover: where the second path joins, and where the first one leaves. */
static void draw_moves(struct picture *picture, const struct direction *direction, double left,
		       double top)
{
	double row = (panel_height(picture) - 60) / picture->moves;

	for (unsigned i = 0; i < picture->moves; i++) {
		struct plot plot = {.left = left,
				    .top = top + 40 + row * i,
				    .width = CLOSE_WIDTH - 60,
				    .height = row - 70};

		if (picture->move[i].join > 0)
			draw_close(picture, direction, &plot, picture->move[i].join,
				   "the second path joins");
		plot.left += CLOSE_WIDTH + 10;
		if (picture->move[i].leave > 0)
			draw_close(picture, direction, &plot, picture->move[i].leave,
				   "the first path leaves");
	}
}

static void draw_direction(struct picture *picture, const struct direction *direction, double top)
{
	const struct text_style heading = {17, INK, ANCHOR_START, 1};
	const struct text_style counts = {13, SOFT, ANCHOR_START, 0};
	double right = PAGE_WIDTH - 2 * CLOSE_WIDTH + 30;
	struct plot plot = {.left = 80,
			    .top = top + 40,
			    .width = right - 145,
			    .height = panel_height(picture) - 280,
			    .x_max = picture->seconds + 0.3,
			    .y_max = (double)direction->summary.sent};
	char text[256];

	draw_text(&picture->drawing, 30, top, &heading, direction->label);
	write_counts(direction, text, sizeof(text));
	draw_text(&picture->drawing, 30, top + 21, &counts, text);
	draw_overview(picture, direction, &plot);
	plot.top += plot.height + 30;
	plot.height = 120;
	plot.y_max = 150;
	draw_delays(picture, direction, &plot);
	if (picture->moves)
		draw_moves(picture, direction, right, top);
}

/* ---- the head of the page ---------------------------------------------------------------------
 */

static double draw_key(struct picture *picture, double x, double y, const char *text)
{
	const struct text_style style = {13, INK, ANCHOR_START, 0};

	draw_text(&picture->drawing, x, y + 4.5, &style, text);
	return x + 7.4 * (double)strlen(text) + 26;
}

static void draw_legend(struct picture *picture, double y)
{
	struct drawing *drawing = &picture->drawing;
	double x = 36;

	for (unsigned i = 0; i < picture->paths; i++) {
		draw_circle(drawing, x, y, 5, path_colour[i], path_colour[i]);
		x = draw_key(picture, x + 12, y, picture->path_name[i]);
	}
	draw_circle(drawing, x, y, 5, "#ffffff", path_colour[0]);
	draw_circle(drawing, x + 13, y, 5, "#ffffff", path_colour[1]);
	x = draw_key(picture, x + 25, y, "hollow: second copy, removed");
	draw_line(drawing, x - 8, y, x + 14, y, APPLICATION, 1.8, NULL);
	draw_line(drawing, x + 20, y, x + 38, y, "#d4d4d4", 10, NULL);
	x = draw_key(picture, x + 46, y, "what the application got");
	draw_rect(drawing, x - 4, y - 2, 4, 4, "#888888", "none");
	x = draw_key(picture, x + 8, y, "sent");
	draw_cross(drawing, x, y, 4.5, LOST);
	x = draw_key(picture, x + 12, y, "lost on its path");
	draw_rect(drawing, x - 6, y - 8, 20, 16, SHADE, "#e3d9b5");
	draw_key(picture, x + 22, y, "handover: both paths");
}

/* What happened, with its time, in as many lines as it takes; the height of those beyond the first.
 */
static double draw_events(struct picture *picture, double y)
{
	const struct text_style style = {13, SOFT, ANCHOR_START, 0};
	char line[2 * LINE_LENGTH] = "";
	double more = 0;

	for (unsigned i = 0; i < picture->marks; i++) {
		size_t used = strlen(line);

		if (used + strlen(picture->mark[i].text) + 16 > LINE_LENGTH) {
			draw_text(&picture->drawing, 30, y + more, &style, line);
			more += LINE_HEIGHT;
			used = 0;
		}
		snprintf(line + used, sizeof(line) - used, "%s%.1f s  %s", used ? "     " : "",
			 picture->mark[i].time, picture->mark[i].text);
	}
	draw_text(&picture->drawing, 30, y + more, &style, line);
	return more;
}

static double draw_head(struct picture *picture)
{
	const struct text_style title = {22, INK, ANCHOR_START, 1};
	double more;

	draw_text(&picture->drawing, 30, 40, &title, picture->title);
	more = draw_events(picture, 65);
	draw_legend(picture, 92 + more);
	return HEAD_HEIGHT + more;
}

int picture_draw(struct picture *picture)
{
	double panel = panel_height(picture), top;

	if (drawing_open(&picture->drawing, picture->out, PAGE_WIDTH,
			 HEAD_HEIGHT + LINE_HEIGHT + panel * picture->directions))
		return -1;
	top = draw_head(picture) + 10;
	for (unsigned i = 0; i < picture->directions; i++)
		draw_direction(picture, &picture->direction[i], top + panel * i);
	return drawing_close(&picture->drawing);
}
