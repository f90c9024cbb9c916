/*-------------------------------------------------------------------------
 *
 * chat.c
 *		The chat module: its settings.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "roost.h"

#define GROUP_MAX_MEMBERS_DEFAULT	1000
#define GROUP_MAX_MEMBERS_MIN		2
#define GROUP_MAX_MEMBERS_MAX		10000

#define CONVERSATION_MAX_DEFAULT	1000
#define CONVERSATION_MAX_MIN		1
#define CONVERSATION_MAX_MAX		100000

#define INVITE_MAX_DEFAULT			50
#define INVITE_MAX_MIN				1
#define INVITE_MAX_MAX				1000

#define MESSAGE_MAX_LENGTH_DEFAULT	4096
#define MESSAGE_MAX_LENGTH_MIN		1
#define MESSAGE_MAX_LENGTH_MAX		65536

#define MESSAGE_EDIT_WINDOW_DEFAULT	(24 * 3600)
#define MESSAGE_DELETE_WINDOW_DEFAULT	(2 * 24 * 3600)
#define MESSAGE_WINDOW_MIN			(-1)
#define MESSAGE_WINDOW_MAX			(10 * 365 * 24 * 3600)

/* read by functions in SQL */
static int	group_max_members = GROUP_MAX_MEMBERS_DEFAULT;
static int	conversation_max = CONVERSATION_MAX_DEFAULT;
static int	invite_max = INVITE_MAX_DEFAULT;
static int	message_max_length = MESSAGE_MAX_LENGTH_DEFAULT;
static int	message_edit_window = MESSAGE_EDIT_WINDOW_DEFAULT;
static int	message_delete_window = MESSAGE_DELETE_WINDOW_DEFAULT;

/*
 * Define the settings of the chat module.
 */
static void
chat_define_gucs(void)
{
	DefineCustomIntVariable("roost.conversation_max",
							"Sets in how many groups an account may be.",
							"Direct conversations do not count.",
							&conversation_max,
							CONVERSATION_MAX_DEFAULT, CONVERSATION_MAX_MIN, CONVERSATION_MAX_MAX,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.group_max_members",
							"Sets how many members a group may have.",
							"Groups that have more already keep them.",
							&group_max_members,
							GROUP_MAX_MEMBERS_DEFAULT, GROUP_MAX_MEMBERS_MIN, GROUP_MAX_MEMBERS_MAX,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.invite_max",
							"Sets how many invitations a group may have that are still good.",
							NULL,
							&invite_max,
							INVITE_MAX_DEFAULT, INVITE_MAX_MIN, INVITE_MAX_MAX,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.message_delete_window",
							"Time for which who wrote a message may delete it for everyone.",
							"Administrators of a group always may. -1: without end, 0: not at all.",
							&message_delete_window,
							MESSAGE_DELETE_WINDOW_DEFAULT, MESSAGE_WINDOW_MIN, MESSAGE_WINDOW_MAX,
							PGC_SUSET,
							GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.message_edit_window",
							"Time for which who wrote a message may change its text.",
							"-1: without end, 0: not at all.",
							&message_edit_window,
							MESSAGE_EDIT_WINDOW_DEFAULT, MESSAGE_WINDOW_MIN, MESSAGE_WINDOW_MAX,
							PGC_SUSET,
							GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomIntVariable("roost.message_max_length",
							"Sets how many characters the text of a message may have.",
							"Characters are code points after normalization to NFC. 64 KiB is the end in any case.",
							&message_max_length,
							MESSAGE_MAX_LENGTH_DEFAULT, MESSAGE_MAX_LENGTH_MIN, MESSAGE_MAX_LENGTH_MAX,
							PGC_SUSET,
							0,
							NULL, NULL, NULL);
}

const RoostModule roost_chat_module = {
	.name = "roost chat",
	.define_gucs = chat_define_gucs,
};
