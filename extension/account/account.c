/*-------------------------------------------------------------------------
 *
 * account.c
 *		Settings of accounts and sessions; sql/account reads them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "roost.h"

/* limits of the settings, in seconds unless the name says otherwise */
#define ACCOUNT_REUSE_WINDOW_MIN			0
#define ACCOUNT_REUSE_WINDOW_DEFAULT		10
#define ACCOUNT_REUSE_WINDOW_MAX			300
#define ACCOUNT_MAIL_LIFETIME_MIN			60
#define ACCOUNT_VERIFY_LIFETIME_DEFAULT		(2 * 86400)
#define ACCOUNT_RESET_LIFETIME_DEFAULT		3600
#define ACCOUNT_MAIL_LIFETIME_MAX			(30 * 86400)
#define ACCOUNT_MAIL_LIMIT_MIN				1
#define ACCOUNT_MAIL_LIMIT_DEFAULT			5
#define ACCOUNT_MAIL_LIMIT_MAX				1000
#define ACCOUNT_SESSION_LIMIT_MIN			1
#define ACCOUNT_SESSION_LIMIT_DEFAULT		50
#define ACCOUNT_SESSION_LIMIT_MAX			1000
#define ACCOUNT_HANDLE_REST_MIN				0
#define ACCOUNT_HANDLE_REST_DEFAULT			(30 * 86400)

static int	account_reuse_window;
static int	account_verify_lifetime;
static int	account_reset_lifetime;
static int	account_mail_limit;
static int	account_session_limit;
static int	account_handle_rest;

/*
 * Define the settings of the account module.
 */
static void
account_define_gucs(void)
{
	DefineCustomIntVariable("roost.account_reuse_window",
							"Time for which a refresh token that was just exchanged still gives the current one.",
							"Later use ends the session: somebody else has a copy of the token.",
							&account_reuse_window,
							ACCOUNT_REUSE_WINDOW_DEFAULT,
							ACCOUNT_REUSE_WINDOW_MIN,
							ACCOUNT_REUSE_WINDOW_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.account_verify_lifetime",
							"Time for which the link in a verification mail works.",
							NULL,
							&account_verify_lifetime,
							ACCOUNT_VERIFY_LIFETIME_DEFAULT,
							ACCOUNT_MAIL_LIFETIME_MIN,
							ACCOUNT_MAIL_LIFETIME_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.account_reset_lifetime",
							"Time for which the link in a password mail works.",
							NULL,
							&account_reset_lifetime,
							ACCOUNT_RESET_LIFETIME_DEFAULT,
							ACCOUNT_MAIL_LIFETIME_MIN,
							ACCOUNT_MAIL_LIFETIME_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.account_mail_limit",
							"Number of mails to prove it or to set a password that an address gets in an hour.",
							"Whoever asked for them; the answers do not tell.",
							&account_mail_limit,
							ACCOUNT_MAIL_LIMIT_DEFAULT,
							ACCOUNT_MAIL_LIMIT_MIN,
							ACCOUNT_MAIL_LIMIT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.account_session_limit",
							"Number of sessions an account may have; a further login ends the one longest unused.",
							NULL,
							&account_session_limit,
							ACCOUNT_SESSION_LIMIT_DEFAULT,
							ACCOUNT_SESSION_LIMIT_MIN,
							ACCOUNT_SESSION_LIMIT_MAX,
							PGC_SIGHUP, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("roost.account_handle_rest",
							"Time for which nobody else may take the user name of a deleted or renamed account.",
							NULL,
							&account_handle_rest,
							ACCOUNT_HANDLE_REST_DEFAULT,
							ACCOUNT_HANDLE_REST_MIN,
							INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

const RoostModule roost_account_module = {
	.name = "roost account",
	.define_gucs = account_define_gucs,
};
