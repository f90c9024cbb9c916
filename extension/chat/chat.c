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

#define MESSAGE_MAX_LENGTH_DEFAULT	4096
#define MESSAGE_MAX_LENGTH_MIN		1
#define MESSAGE_MAX_LENGTH_MAX		65536

#define MESSAGE_EDIT_WINDOW_DEFAULT	(24 * 3600)
#define MESSAGE_DELETE_WINDOW_DEFAULT	(2 * 24 * 3600)
#define MESSAGE_WINDOW_MIN			(-1)
#define MESSAGE_WINDOW_MAX			(10 * 365 * 24 * 3600)

/* read by functions in SQL */
static int	message_max_length = MESSAGE_MAX_LENGTH_DEFAULT;
static int	message_edit_window = MESSAGE_EDIT_WINDOW_DEFAULT;
static int	message_delete_window = MESSAGE_DELETE_WINDOW_DEFAULT;

/*
 * Define the settings of the chat module.
 */
static void
chat_define_gucs(void)
{
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
