/* SPDX-License-Identifier: BSD-2-Clause */
/* segue subscriber add|list|del: who may register with a running segued. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "daemon.h"

#define PASSWORD_LEN 256u

static const struct column columns[] = {
	{"USER", "aor", CELL_PLAIN},
	{"REGISTRATIONS", "registrations", CELL_PLAIN},
	{NULL, NULL, CELL_PLAIN},
};

static int subscriber_list(struct cli *cli)
{
	json_t *data;
	int code = daemon_ask(cli, NULL, &data);

	if (code == EXIT_OK)
		daemon_print_rows(cli, columns, data);
	return code;
}

/* A line of standard input, without its end; false at the end of the file or when it is too long.
 */
static bool read_line(char line[PASSWORD_LEN])
{
	size_t length;

	if (!fgets(line, PASSWORD_LEN, stdin))
		return false;
	length = strlen(line);
	if (length + 1 == PASSWORD_LEN && line[length - 1] != '\n')
		return false;
	if (length && line[length - 1] == '\n')
		line[--length] = 0;
	if (length && line[length - 1] == '\r')
		line[--length] = 0;
	return true;
}

/* Asks without echo. Signals wait until the terminal is as it was: else the shell behind us would
 * stay dumb. */
static bool prompt(const char *question, char line[PASSWORD_LEN])
{
	struct termios before, silent;
	bool had_line;

	fputs(question, stderr);
	fflush(stderr);
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return false;
	silent = before;
	silent.c_lflag &= (tcflag_t) ~(ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	had_line = read_line(line);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	/* ^C came as a character. */
	return had_line && !strchr(line, before.c_cc[VINTR]);
}

static int get_password(const struct cli *cli, char password[PASSWORD_LEN])
{
	char again[PASSWORD_LEN];
	bool alike;

	if (!isatty(STDIN_FILENO)) {
		if (!read_line(password))
			return output_error(&cli->out, EXIT_FAILED,
					    "no password on standard input (a line of at most %u "
					    "characters)",
					    PASSWORD_LEN - 2);
		return EXIT_OK;
	}
	if (!prompt("Password: ", password) || !prompt("The same again: ", again))
		return output_error(&cli->out, EXIT_FAILED, "no password was given");
	alike = strcmp(password, again) == 0;
	explicit_bzero(again, sizeof(again));
	if (!alike)
		return output_error(&cli->out, EXIT_FAILED, "the two passwords differ");
	return EXIT_OK;
}

struct add_args {
	bool replace;
};

static const struct option add_options[] = {
	{"replace", 0, NULL, option_flag, offsetof(struct add_args, replace), NULL,
	 "give a subscriber that there is a new password"},
	OPTIONS_END,
};

static int check_user(struct cli *cli)
{
	const char *aor = cli->operand[0], *at = strrchr(aor, '@');

	if (!at || at == aor || !at[1])
		return cli_usage_error(cli, "'%s' is not USER@DOMAIN", aor);
	return EXIT_OK;
}

static int subscriber_add(struct cli *cli)
{
	const struct add_args *args = cli->args;
	char password[PASSWORD_LEN];
	json_t *data;
	int code = get_password(cli, password);

	if (code != EXIT_OK)
		return code;
	code = daemon_ask(cli,
			  json_pack("{s:o, s:o, s:b}", "aor", output_string(cli->operand[0]),
				    "password", output_string(password), "replace", args->replace),
			  &data);
	explicit_bzero(password, sizeof(password));
	if (code == EXIT_OK)
		output_line(&cli->out, data, "subscriber %s added", cli->operand[0]);
	return code;
}

static int subscriber_del(struct cli *cli)
{
	json_t *data;
	int code =
		daemon_ask(cli, json_pack("{s:o}", "aor", output_string(cli->operand[0])), &data);

	if (code == EXIT_OK)
		output_line(&cli->out, data, "subscriber %s removed", cli->operand[0]);
	return code;
}

static const struct command commands[] = {
	{
		.name = "add",
		.operands = "USER@DOMAIN",
		.help = "Adds a subscriber; the password is asked, or read from standard input.",
		.check = check_user,
		.run = subscriber_add,
		OPERANDS(1, 1),
		OPTIONS(add_options, struct add_args),
	},
	{
		.name = "list",
		.operands = "",
		.help = "Lists the subscribers.",
		.run = subscriber_list,
		.repeats = true,
	},
	{
		.name = "del",
		.operands = "USER@DOMAIN",
		.help = "Removes a subscriber: it can register no more.",
		.check = check_user,
		.run = subscriber_del,
		OPERANDS(1, 1),
	},
};

const struct object subscriber_object = {
	.name = "subscriber",
	.help = "who may register with a running segued",
	OBJECT_COMMANDS(commands),
};
