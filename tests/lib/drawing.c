// SPDX-License-Identifier: BSD-2-Clause
#include "drawing.h"

#include <math.h>

#define GRID "#e6e6e6"
#define INK "#444444"

int drawing_open(struct drawing *drawing, const char *path, double width, double height)
{
	drawing->out = fopen(path, "w");
	if (!drawing->out)
		return -1;
	drawing->width = width;
	drawing->height = height;
	fprintf(drawing->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"viewBox=\"0 0 %.0f %.0f\" xml:space=\"preserve\" font-family=\"DejaVu Sans, "
		"Helvetica, Arial, "
		"sans-serif\">\n",
		width, height, width, height);
	draw_rect(drawing, 0, 0, width, height, "#ffffff", "none");
	return 0;
}

int drawing_close(struct drawing *drawing)
{
	fputs("</svg>\n", drawing->out);
	return fclose(drawing->out);
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			fputc(*text, out);
			break;
		}
	}
}

static void put_text(struct drawing *drawing, const struct text_style *style, const char *text)
{
	static const char *const anchors[] = {"start", "middle", "end"};

	fprintf(drawing->out, " font-size=\"%.1f\" fill=\"%s\" text-anchor=\"%s\"%s>", style->size,
		style->colour, anchors[style->anchor], style->bold ? " font-weight=\"bold\"" : "");
	put_escaped(drawing->out, text);
	fputs("</text>\n", drawing->out);
}

void draw_text(struct drawing *drawing, double x, double y, const struct text_style *style,
	       const char *text)
{
	fprintf(drawing->out, "<text x=\"%.1f\" y=\"%.1f\"", x, y);
	put_text(drawing, style, text);
}

void draw_line(struct drawing *drawing, double x1, double y1, double x2, double y2,
	       const char *colour, double width, const char *dashes)
{
	fprintf(drawing->out,
		"<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" stroke=\"%s\" "
		"stroke-width=\"%.2f\"",
		x1, y1, x2, y2, colour, width);
	if (dashes)
		fprintf(drawing->out, " stroke-dasharray=\"%s\"", dashes);
	fputs("/>\n", drawing->out);
}

void draw_rect(struct drawing *drawing, double x, double y, double width, double height,
	       const char *fill, const char *stroke)
{
	fprintf(drawing->out,
		"<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\" "
		"stroke=\"%s\"/>\n",
		x, y, width, height, fill, stroke);
}

void draw_circle(struct drawing *drawing, double x, double y, double radius, const char *fill,
		 const char *stroke)
{
	fprintf(drawing->out,
		"<circle cx=\"%.2f\" cy=\"%.2f\" r=\"%.1f\" fill=\"%s\" stroke=\"%s\" "
		"stroke-width=\"1.2\"/>\n",
		x, y, radius, fill, stroke);
}

void draw_cross(struct drawing *drawing, double x, double y, double radius, const char *colour)
{
	draw_line(drawing, x - radius, y - radius, x + radius, y + radius, colour, 1.6, NULL);
	draw_line(drawing, x - radius, y + radius, x + radius, y - radius, colour, 1.6, NULL);
}

/* ---- plots ------------------------------------------------------------------------------------
 */

double plot_x(const struct plot *plot, double value)
{
	return plot->left + (value - plot->x_min) / (plot->x_max - plot->x_min) * plot->width;
}

double plot_y(const struct plot *plot, double value)
{
	return plot->top + (plot->y_max - value) / (plot->y_max - plot->y_min) * plot->height;
}

int plot_holds(const struct plot *plot, double x, double y)
{
	return x >= plot->x_min && x <= plot->x_max && y >= plot->y_min && y <= plot->y_max;
}

void draw_clip(struct drawing *drawing, const struct plot *plot)
{
	fprintf(drawing->out,
		"<svg x=\"0\" y=\"0\" overflow=\"visible\"><clipPath id=\"c%.0f-%.0f\"><rect "
		"x=\"%.1f\" "
		"y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/></clipPath><g "
		"clip-path=\"url(#c%.0f-%.0f)\">\n",
		plot->left, plot->top, plot->left, plot->top, plot->width, plot->height, plot->left,
		plot->top);
}

void draw_unclip(struct drawing *drawing)
{
	fputs("</g></svg>\n", drawing->out);
}

void draw_frame(struct drawing *drawing, const struct plot *plot)
{
	draw_rect(drawing, plot->left, plot->top, plot->width, plot->height, "none", "#999999");
}

void draw_x_axis(struct drawing *drawing, const struct plot *plot, double step,
		 draw_label_fn *label, const void *context, const char *title)
{
	const struct text_style tick = {11, INK, ANCHOR_MIDDLE, 0};
	double bottom = plot->top + plot->height;
	char text[32];

	for (double v = ceil(plot->x_min / step) * step; v <= plot->x_max + step * 1e-6;
	     v += step) {
		double x = plot_x(plot, v);

		draw_line(drawing, x, plot->top, x, bottom, GRID, 1, NULL);
		label(text, v, context);
		draw_text(drawing, x, bottom + 15, &tick, text);
	}
	draw_text(drawing, plot->left + plot->width / 2, bottom + 31, &tick, title);
}

void draw_y_axis(struct drawing *drawing, const struct plot *plot, double step,
		 draw_label_fn *label, const void *context, const char *title)
{
	const struct text_style tick = {11, INK, ANCHOR_END, 0};
	const struct text_style heading = {11, INK, ANCHOR_MIDDLE, 0};
	double middle = plot->top + plot->height / 2;
	char text[32];

	for (double v = ceil(plot->y_min / step) * step; v <= plot->y_max + step * 1e-6;
	     v += step) {
		double y = plot_y(plot, v);

		draw_line(drawing, plot->left, y, plot->left + plot->width, y, GRID, 1, NULL);
		label(text, v, context);
		draw_text(drawing, plot->left - 6, y + 4, &tick, text);
	}
	fprintf(drawing->out, "<text transform=\"translate(%.1f %.1f) rotate(-90)\"",
		plot->left - 50, middle);
	put_text(drawing, &heading, title);
}
