/*-------------------------------------------------------------------------
 *
 * ws_ask.c
 *		The sub-protocol roost.v1: frames that the database answers, but not
 *		as a route: auth and signal.
 *
 * A question keeps its texts itself and may outlive its socket, which then is
 * NULL; the answer is thrown away.  Signals of a socket are asked about one
 * after the other, since the database may answer two at once in any order.
 *
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>

#include "problem.h"
#include "ws_roost.h"

#define QUESTION_TEXTS 4
#define CALL_PREFIX "call:"

typedef struct RoostQuestion
{
	ListNode	node;
	RoostSocket *socket;		/* NULL: gone */
	PoolQuery	query;
	bool		is_auth;
	bool		asked;
	FrameText	id;
	char		number[24];
	char		session[24];
	char		address[ADDRESS_TEXT_SIZE];
	char	   *texts[QUESTION_TEXTS];	/* from the frame */
} RoostQuestion;

/* Gives a question back. */
static void
question_free(RoostQuestion *question)
{
	if (question->socket)
		list_remove(&question->socket->questions, &question->node);
	/* it may be a token */
	if (question->texts[0])
		explicit_bzero(question->texts[0], strlen(question->texts[0]));
	for (int i = 0; i < QUESTION_TEXTS; i++)
		free(question->texts[i]);
	free((char *) question->id.data);
	free(question);
}

/* The token belongs to somebody. */
static void
auth_accept(RoostQuestion *question, const StreamIdentity *identity)
{
	RoostSocket *socket = question->socket;
	Subscriber *subscriber = &socket->subscriber;

	if (subscriber->account_id && subscriber->account_id != identity->account_id)
	{
		roost_error(socket, &question->id, "42501", "The token is of another account.");
		return;
	}
	free(socket->token);
	socket->token = memory_copy(question->texts[0]);
	socket->expires_at = identity->expires_at;
	socket->warned = false;
	if (subscriber->account_id)
		hub_set_session(subscriber, identity->session_id);
	else
		hub_set_account(subscriber, identity->account_id, identity->session_id);
	roost_schedule(socket);
	roost_ready(socket, &question->id);
}

/* Tells what is wrong; who has no other token is sent away with a wrong one. */
static void
question_fail(RoostQuestion *question, const char *sqlstate, int status, const char *detail)
{
	RoostSocket *socket = question->socket;

	roost_error(socket, &question->id, sqlstate, detail);
	if (question->is_auth && status == 401 && socket->subscriber.account_id == 0)
		ws_close(&socket->ws, 4401, "the token is not valid");
}

/* Asks the database. */
static void
question_ask(RoostQuestion *question)
{
	question->asked = true;
	pool_submit(LANE_FAST, &question->query);
}

/* Asks about the oldest signal of a socket, if that has not been done. */
static void
question_next(RoostSocket *socket)
{
	ListNode   *head = &socket->questions.head;
	ListNode   *node = head->next;

	while (node != head && container_of(node, RoostQuestion, node)->is_auth)
		node = node->next;
	if (node != head && !container_of(node, RoostQuestion, node)->asked)
		question_ask(container_of(node, RoostQuestion, node));
}

/* A question is answered: goes on with what waited for it. */
static void
question_end(RoostQuestion *question)
{
	RoostSocket *socket = question->socket;
	bool		is_auth = question->is_auth;

	question_free(question);
	if (socket && is_auth && !socket->ws.closing)
		ws_go_on(&socket->ws);
	else if (socket && !is_auth)
		question_next(socket);
}

/* The database has answered. */
static void
on_result(PoolQuery *query, const PGresult *result)
{
	RoostQuestion *question = container_of(query, RoostQuestion, query);
	StreamIdentity identity;

	if (question->socket == NULL)
	{
		question_free(question);
		return;
	}
	if (question->is_auth && stream_identity(result, &identity))
		auth_accept(question, &identity);
	else if (question->is_auth || PQresultStatus(result) != PGRES_TUPLES_OK)
	{
		const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		Buffer		detail = {0};
		const RoostErrcode *error = problem_of_result(result, question->socket->ws.id, &detail);

		question_fail(question, sqlstate ? sqlstate : "XX000", error->status, detail.data);
		buffer_free(&detail);
	}

	/*
	 * an answer that cannot be sent ends the socket, which forgets its
	 * questions
	 */
	question_end(question);
}

/* The database could not be asked. */
static void
on_failure(PoolQuery *query, PoolFailure failure)
{
	RoostQuestion *question = container_of(query, RoostQuestion, query);
	const char *detail;
	const char *sqlstate = problem_of_failure(failure, &detail);

	if (question->socket == NULL)
	{
		question_free(question);
		return;
	}
	question_fail(question, sqlstate, 503, detail);
	question_end(question);
}

/* Makes a question of a frame. */
static RoostQuestion *
question_new(RoostSocket *socket, const Frame *frame, PoolStatement statement)
{
	RoostQuestion *question = memory_new(sizeof(RoostQuestion));
	const FrameText *id = &frame->members[FRAME_ID];

	question->socket = socket;
	list_append(&socket->questions, &question->node);
	if (id->data)
		question->id = (FrameText)
	{
		strndup(id->data, id->length), id->length
	};
	question->query.statement = statement;
	question->query.on_result = on_result;
	question->query.on_failure = on_failure;
	return question;
}

/* Returns whether a frame is in order; answers it otherwise. */
static bool
frame_is_fine(RoostSocket *socket, Frame *frame, unsigned members)
{
	if (!frame_only(frame, members))
		roost_error(socket, &frame->members[FRAME_ID], frame->sqlstate, frame->problem);
	else if (roost_is_busy(socket))
		roost_error(socket, &frame->members[FRAME_ID], "53400", "At most 16 calls and signals run at once.");
	else
		return true;
	return false;
}

/* Does a frame `auth`. */
void
ask_auth(RoostSocket *socket, Frame *frame)
{
	RoostQuestion *question;
	char	   *token;

	if (!frame_is_fine(socket, frame, FRAME_HAS(FRAME_TOKEN)))
		return;
	token = frame_string(frame, FRAME_TOKEN);
	if (token == NULL || *token == '\0')
	{
		roost_error(socket, &frame->members[FRAME_ID], frame->members[FRAME_TOKEN].data ? "ROTYP" : "ROMIS",
					"The member token must be a text.");
		free(token);
		return;
	}
	question = question_new(socket, frame, STATEMENT_STREAM_OPEN);
	question->is_auth = true;
	question->texts[0] = token;
	address_format(&socket->ws.address, question->address);
	question->query.values[0] = token;
	question->query.values[1] = question->address;
	ws_pause(&socket->ws);
	question_ask(question);
}

/* Returns what is wrong with the texts of a frame `signal`, with its SQLSTATE, or NULL. */
static const char *
signal_problem(const RoostSocket *socket, const Frame *frame, char *const *texts, const char **sqlstate)
{
	bool		is_call = texts[0] && strncmp(texts[0], CALL_PREFIX, strlen(CALL_PREFIX)) == 0;

	*sqlstate = "RO401";
	if (socket->subscriber.account_id == 0)
		return "A signal needs a token.";
	*sqlstate = "ROTYP";
	if (texts[0] == NULL || texts[1] == NULL)
		return "The members event and channel must be texts.";
	if (frame->members[FRAME_TO].data && texts[3] == NULL)
		return "The member to must be a text.";
	*sqlstate = "ROUNK";
	if (!is_call && (frame->members[FRAME_DATA].data || texts[3]))
		return "The members data and to belong to signals of calls.";
	return NULL;
}

/* Does a frame `signal`. */
void
ask_signal(RoostSocket *socket, Frame *frame)
{
	const FrameText *data = &frame->members[FRAME_DATA];
	char	   *texts[QUESTION_TEXTS] = {NULL};
	const char *sqlstate;
	const char *problem;
	RoostQuestion *question;

	if (!frame_is_fine(socket, frame, FRAME_HAS(FRAME_EVENT) | FRAME_HAS(FRAME_CHANNEL) | FRAME_HAS(FRAME_DATA) | FRAME_HAS(FRAME_TO)))
		return;
	texts[0] = frame_string(frame, FRAME_EVENT);
	texts[1] = frame_string(frame, FRAME_CHANNEL);
	texts[2] = data->data ? strndup(data->data, data->length) : NULL;
	texts[3] = frame_string(frame, FRAME_TO);
	problem = signal_problem(socket, frame, texts, &sqlstate);
	if (problem)
	{
		roost_error(socket, &frame->members[FRAME_ID], sqlstate, problem);
		for (int i = 0; i < QUESTION_TEXTS; i++)
			free(texts[i]);
		return;
	}
	question = question_new(socket, frame, strncmp(texts[0], CALL_PREFIX, strlen(CALL_PREFIX)) == 0 ? STATEMENT_LIVE_CALL_SEND : STATEMENT_LIVE_SIGNAL);
	memcpy(question->texts, texts, sizeof(texts));
	snprintf(question->number, sizeof(question->number), "%lld", (long long) socket->subscriber.account_id);
	snprintf(question->session, sizeof(question->session), "%lld", (long long) socket->subscriber.session_id);
	question->query.values[0] = question->number;
	if (question->query.statement == STATEMENT_LIVE_SIGNAL)
		memcpy(&question->query.values[1], texts, 2 * sizeof(char *));
	else
	{
		question->query.values[1] = question->session;
		memcpy(&question->query.values[2], texts, sizeof(texts));
	}
	question_next(socket);
}

/* The socket is gone. */
void
ask_forget(RoostSocket *socket)
{
	ListNode   *node;

	while ((node = list_first(&socket->questions)) != NULL)
	{
		RoostQuestion *question = container_of(node, RoostQuestion, node);

		if (!question->asked || pool_cancel(&question->query))
			question_free(question);
		else
		{
			list_remove(&socket->questions, node);
			question->socket = NULL;
		}
	}
}
