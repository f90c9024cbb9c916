/*-------------------------------------------------------------------------
 *
 * main.c
 *		Start, and the supervisor of several processes.
 *
 * With --workers 1 the process serves.  With more, it forks that many that
 * share the port and looks after them: one that ends by itself is replaced,
 * after a pause of a second if it did not live for that long; SIGHUP and
 * SIGTERM are passed on.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "position.h"

#define HEAP_KEPT (4 * 1024 * 1024)

static pid_t *workers;
static time_t *born;

/* Forks the worker of a slot. */
static void
worker_start(int slot, const sigset_t *inherited)
{
	pid_t		supervisor = getpid();
	pid_t		pid = fork();

	if (pid < 0)
	{
		log_error("could not fork: %s", strerror(errno));
		return;
	}
	if (pid == 0)
	{
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		sigprocmask(SIG_SETMASK, inherited, NULL);
		if (getppid() != supervisor)
			exit(0);
		exit(loop_run(slot));
	}
	workers[slot] = pid;
	born[slot] = time(NULL);
}

/* Sends a signal to all workers. */
static void
workers_signal(int number)
{
	for (int i = 0; i < config.workers; i++)
		if (workers[i] > 0)
			kill(workers[i], number);
}

/* Takes note of workers that have ended; returns how many run. */
static int
workers_reap(int *exit_status)
{
	int			running = 0;
	int			status;
	pid_t		pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < config.workers; i++)
			if (workers[i] == pid)
			{
				workers[i] = 0;
				if (WIFSIGNALED(status))
					log_error("worker %d was ended by signal %d", (int) pid, WTERMSIG(status));
				else if (WEXITSTATUS(status) != 0)
					*exit_status = WEXITSTATUS(status);
			}
	for (int i = 0; i < config.workers; i++)
		running += workers[i] > 0;
	return running;
}

/* Runs the workers until it is told to stop; returns the exit status. */
static int
supervise(void)
{
	sigset_t	watched;
	sigset_t	inherited;
	int			exit_status = 0;
	bool		stopping = false;

	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGHUP);
	sigprocmask(SIG_BLOCK, &watched, &inherited);
	workers = memory_new(sizeof(pid_t) * (size_t) config.workers);
	born = memory_new(sizeof(time_t) * (size_t) config.workers);
	for (int i = 0; i < config.workers; i++)
		worker_start(i, &inherited);
	for (;;)
	{
		struct timespec second = {.tv_sec = 1};
		int			number = sigtimedwait(&watched, NULL, &second);
		int			running = workers_reap(&exit_status);

		if (number == SIGTERM || number == SIGINT)
		{
			stopping = true;
			workers_signal(SIGTERM);
		}
		else if (number == SIGHUP)
		{
			config_reload();
			workers_signal(SIGHUP);
		}
		if (stopping && running == 0)
			return 0;
		for (int i = 0; i < config.workers && !stopping; i++)
			if (workers[i] == 0 && time(NULL) - born[i] >= 1)
				worker_start(i, &inherited);
	}
}

/*
 * Keeps the memory of answers for the next ones.  By default the C library
 * gives back all but 128 kB of the heap's end, and faulting that in again
 * costs more than an answer's bytes do.
 */
static void
keep_heap(void)
{
#ifdef __GLIBC__
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	mallopt(M_MMAP_THRESHOLD, HEAP_KEPT / 8);
	mallopt(M_TOP_PAD, HEAP_KEPT / 16);
#endif
}

int
main(int argc, char **argv)
{
	keep_heap();
	config_load(argc, argv);
	metrics_init(config.workers);
	position_init();
	return config.workers == 1 ? loop_run(0) : supervise();
}
