/* SPDX-License-Identifier: BSD-2-Clause */
/* The few shapes of SVG that a plot needs, and a plot's axes. */
#ifndef TEST_DRAWING_H
#define TEST_DRAWING_H

#include <stdio.h>

struct drawing {
	FILE *out;
	double width, height;
};

enum anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };

struct text_style {
	double size; /* pixels */
	const char *colour;
	enum anchor anchor;
	int bold;
};

/* A rectangle of the page and the values at its edges; y grows upwards. */
struct plot {
	double left, top, width, height;
	double x_min, x_max, y_min, y_max;
};

/* White page. 0 or -1 with errno. */
int drawing_open(struct drawing *drawing, const char *path, double width, double height);
int drawing_close(struct drawing *drawing);

/* `text` may hold any characters: those that XML reserves are escaped. */
void draw_text(struct drawing *drawing, double x, double y, const struct text_style *style,
	       const char *text);
void draw_line(struct drawing *drawing, double x1, double y1, double x2, double y2,
	       const char *colour, double width, const char *dashes);
void draw_rect(struct drawing *drawing, double x, double y, double width, double height,
	       const char *fill, const char *stroke);
/* `fill` "none" leaves it hollow. */
void draw_circle(struct drawing *drawing, double x, double y, double radius, const char *fill,
		 const char *stroke);
void draw_cross(struct drawing *drawing, double x, double y, double radius, const char *colour);

/* Page coordinates of a value. */
double plot_x(const struct plot *plot, double value);
double plot_y(const struct plot *plot, double value);
int plot_holds(const struct plot *plot, double x, double y);
/* Everything until draw_unclip() stays inside the plot. */
void draw_clip(struct drawing *drawing, const struct plot *plot);
void draw_unclip(struct drawing *drawing);
void draw_frame(struct drawing *drawing, const struct plot *plot);
/* A grid line at each multiple of `step`; `label` writes what stands beside it. */
typedef void draw_label_fn(char out[32], double value, const void *context);
void draw_x_axis(struct drawing *drawing, const struct plot *plot, double step,
		 draw_label_fn *label, const void *context, const char *title);
void draw_y_axis(struct drawing *drawing, const struct plot *plot, double step,
		 draw_label_fn *label, const void *context, const char *title);

#endif
