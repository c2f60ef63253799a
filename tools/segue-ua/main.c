// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>

#include "ua.h"

int main(int argc, char **argv)
{
	struct error err = {""};
	struct ua_options options;
	struct ua *ua = NULL;
	int ret = ua_options_parse(&options, argc, argv, &err), code = 2;

	if (!ret) {
		code = 1;
		ret = ua_alloc(&ua, &options, &err);
	}
	if (!ret)
		code = ua_run(ua);
	else if (ret == -ECANCELED)
		code = 0;
	else
		fprintf(stderr, "segue-ua: %s\n", err.text);
	ua_free(ua);
	ua_options_free(&options);
	return code;
}
