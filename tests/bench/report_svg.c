// SPDX-License-Identifier: BSD-2-Clause
/* Costs as bars on a logarithmic scale: what a relay adds to each packet. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "net.h"
#include "report.h"

#define WIDTH 860
#define LEFT 250
#define RIGHT 120
#define TOP 96
#define STEP 46
#define BAR 28

struct bar {
	const char *label;
	const char *note;
	double ns;
	const char *colour;
};

struct scale {
	double low, high; /* decades */
};

static double x_of(const struct scale *scale, double ns)
{
	double part = (log10(ns) - scale->low) / (scale->high - scale->low);

	return LEFT + (part < 0 ? 0 : part) * (WIDTH - LEFT - RIGHT);
}

static void draw_grid(FILE *out, const struct scale *scale, int bottom)
{
	for (double decade = scale->low; decade <= scale->high + 0.01; decade += 1) {
		double ns = pow(10, decade), x = x_of(scale, ns);

		fprintf(out, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='#d5dae1'/>\n", x,
			TOP - 8, x, bottom);
		fprintf(out,
			"<text x='%.1f' y='%d' class='axis' text-anchor='middle'>%g %s</text>\n", x,
			TOP - 14, ns < 1000 ? ns : ns / 1000, ns < 1000 ? "ns" : "\302\265s");
	}
}

static void draw_bar(FILE *out, const struct scale *scale, const struct bar *bar, int y,
		     double base)
{
	double end = x_of(scale, bar->ns);

	fprintf(out, "<text x='%d' y='%d' class='label' text-anchor='end'>%s</text>\n", LEFT - 12,
		y + 13, bar->label);
	fprintf(out, "<text x='%d' y='%d' class='note' text-anchor='end'>%s</text>\n", LEFT - 12,
		y + 27, bar->note);
	fprintf(out, "<rect x='%d' y='%d' width='%.1f' height='%d' rx='3' fill='%s'/>\n", LEFT, y,
		end - LEFT, BAR, bar->colour);
	fprintf(out, "<text x='%.1f' y='%d' class='label'>%.0f ns</text>\n", end + 8, y + 13,
		bar->ns);
	fprintf(out, "<text x='%.1f' y='%d' class='note'>%.*f \303\227 redirect</text>\n", end + 8,
		y + 27, bar->ns < 100 * base ? 1 : 0, bar->ns / base);
}

static void draw(FILE *out, const struct bar *bars, int count)
{
	struct scale scale = {1, 1};
	int height = TOP + count * STEP + 44;

	for (int i = 0; i < count; i++)
		scale.high = fmax(scale.high, ceil(log10(fmax(bars[i].ns, 10))));
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' "
		"height='%d'>\n"
		"<style>text{font-family:'DejaVu Sans',Helvetica,Arial,sans-serif;fill:#1d2733}"
		".title{font-size:19px;font-weight:bold}.label{font-size:14px}"
		".note,.axis{font-size:11px;fill:#5b6877}</style>\n"
		"<rect width='%d' height='%d' fill='#ffffff'/>\n",
		WIDTH, height, WIDTH, height, WIDTH, height);
	fprintf(out,
		"<text x='24' y='34' class='title'>What relaying one RTP packet costs</text>\n"
		"<text x='24' y='54' class='note'>CPU time on one core, logarithmic; veth, "
		"%u-byte frames; generator and sink subtracted</text>\n",
		BENCH_FRAME);
	draw_grid(out, &scale, height - 40);
	for (int i = 0; i < count; i++)
		draw_bar(out, &scale, &bars[i], TOP + i * STEP, bars[0].ns);
	fprintf(out,
		"<text x='24' y='%d' class='note'>Least of the interleaved rounds of one run. veth "
		"figures are not NIC figures.</text>\n</svg>\n",
		height - 14);
}

void report_svg(const struct report *r, const char *path)
{
	const struct bar bars[] = {
		{"XDP redirect", "the limit: nothing looked at", r->redirect, "#9aa7b5"},
		{"Segue: forward", "10 000 streams", r->forward, "#0b7a75"},
		{"Segue: two copies", "10 000 streams", r->duplicate, "#0b7a75"},
		{"tc bpf_clone_redirect", "two copies", r->tc_clone, "#c98b2b"},
		{"nftables DNAT + SNAT", "conntrack, no flowtable", r->nft, "#c98b2b"},
		{"recvmmsg / sendmmsg", "one thread", r->mmsg, "#b5473c"},
		{"rtpengine's daemon", "user space, one core", r->rtpengine, "#b5473c"},
	};
	FILE *out = fopen(path, "w");

	if (!out)
		die("%s cannot be written: %s", path, strerror(errno));
	draw(out, bars, sizeof(bars) / sizeof(bars[0]));
	if (fclose(out))
		die("%s cannot be written: %s", path, strerror(errno));
}
