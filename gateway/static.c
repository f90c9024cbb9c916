/*-------------------------------------------------------------------------
 *
 * static.c
 *		The pages: /, /docs, /admin and what they load; the client for scripts.
 *		The page of / is also at the addresses that mails link to.
 *
 * The files of a folder (its own and those of four folders in it, no deeper)
 * are mapped into memory at start and at SIGHUP; a request only looks its path
 * up in that list, so no path can lead anywhere else.  "NAME.gz" beside a file is
 * its compressed form.  Replace files by rename, never in place.
 *
 *-------------------------------------------------------------------------
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "metrics.h"
#include "route.h"
#include "static.h"

#define FILE_LIMIT 128
#define FILE_SIZE_LIMIT (64 * 1024 * 1024)

typedef struct StaticFile
{
	char	   *path;			/* as in the URL */
	const char *data;
	size_t		length;
	const char *packed;			/* with gzip, or NULL */
	size_t		packed_length;
	char		etag[40];
	const char *type;
	bool		strict;			/* with the policy of the console */
} StaticFile;

/* A folder of files, and the addresses that they have. */
typedef struct StaticPart
{
	const char *folder;
	const char *prefix;
	const char *index;			/* of its index.html */
	bool		strict;
} StaticPart;

/*
 * The console is the one address /admin: everything below it belongs to the
 * API, which answers without its prefix, too.
 */
static const StaticPart parts[] = {
	{"", "/", "/", false},
	{"/docs", "/docs/", "/docs/", false},
	{"/app", "/app/", "/app/", false},
	{"/client", "/client/", "/client/", false},
	{"/console", "/console/", "/admin", true},
};

/*
 * Where the links in mails lead.  Their query holds a token: it is in no log,
 * and what they answer is kept nowhere.
 */
static const char *const mail_paths[] = {"/verify-email", "/reset-password", "/forgot-password"};

static StaticFile *files[FILE_LIMIT];
static int	file_count;
static int	static_route;

/* Returns the media type of a file name, or NULL if such files are not served. */
static const char *
type_of(const char *name)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"}, {".json", "application/json"},
		{".svg", "image/svg+xml"}, {".png", "image/png"}, {".ico", "image/x-icon"},
		{".txt", "text/plain; charset=utf-8"}, {".ts", "text/plain; charset=utf-8"}, {".woff2", "font/woff2"},
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < lengthof(types); i++)
		if (strcmp(dot, types[i][0]) == 0)
			return types[i][1];
	return NULL;
}

/* Maps a file; returns NULL if there is none that can be served. */
static const char *
map_file(const char *path, struct stat *status)
{
	int			fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const char *data = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (fstat(fd, status) == 0 && S_ISREG(status->st_mode) && status->st_size > 0 && status->st_size <= FILE_SIZE_LIMIT)
		data = mmap(NULL, (size_t) status->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return data == MAP_FAILED ? NULL : data;
}

/* Takes one file of a part into the list. */
static void
static_add(const char *pages, const StaticPart *part, const char *name)
{
	char		path[4096];
	struct stat status;
	struct stat packed;
	StaticFile *file;
	const char *data;

	snprintf(path, sizeof(path), "%s%s/%s", pages, part->folder, name);
	if (type_of(name) == NULL || *name == '.' || file_count == FILE_LIMIT || (data = map_file(path, &status)) == NULL)
		return;
	file = memory_new(sizeof(StaticFile));
	file->data = data;
	file->length = (size_t) status.st_size;
	file->type = type_of(name);
	file->strict = part->strict;
	snprintf(file->etag, sizeof(file->etag), "\"%llx-%llx\"",
			 (long long) status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec, (long long) status.st_size);
	snprintf(path, sizeof(path), "%s%s/%s.gz", pages, part->folder, name);
	file->packed = map_file(path, &packed);
	if (file->packed)
		file->packed_length = (size_t) packed.st_size;
	if (strcmp(name, "index.html") == 0)
		snprintf(path, sizeof(path), "%s", part->index);
	else
		snprintf(path, sizeof(path), "%s%s", part->prefix, name);
	file->path = memory_copy(path);
	files[file_count++] = file;
}

/* Takes the files of one part into the list. */
static void
static_add_part(const char *pages, const StaticPart *part)
{
	char		folder[4096];
	DIR		   *directory;
	struct dirent *entry;

	snprintf(folder, sizeof(folder), "%s%s", pages, part->folder);
	directory = opendir(folder);
	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL)
		static_add(pages, part, entry->d_name);
	closedir(directory);
}

/*
 * Maps the files of a folder in place of those it has.  Old mappings stay,
 * since answers may still be on their way from them; a reload is rare.
 */
void
static_load(const char *folder)
{
	while (file_count > 0)
	{
		free(files[--file_count]->path);
		free(files[file_count]);
	}
	if (*folder == '\0')
		return;
	for (size_t i = 0; i < lengthof(parts); i++)
		static_add_part(folder, &parts[i]);
	if (file_count == 0)
		log_warning("no pages in \"%s\"", folder);
	static_route = metrics_route("GET", "static");
}

/* Sends a file, which may be kept or not. */
static void
static_send(Request *request, const StaticFile *file, bool kept)
{
	const char *known = kept ? request_header(request, "if-none-match") : NULL;
	const char *accepted = request_header(request, "accept-encoding");
	bool		packed = file->packed && accepted && http_accepts(accepted, "gzip");

	request->is_page = true;
	request->is_strict = file->strict;
	answer_start(request, known && strstr(known, file->etag) ? 304 : 200);
	if (kept)
	{
		answer_header(request, "etag", file->etag);
		/* asked about each time: scripts of two versions must not meet */
		answer_header(request, "cache-control", "public, max-age=0, must-revalidate");
	}
	else
		answer_header(request, "cache-control", "no-store");
	if (file->packed)
		answer_header(request, "vary", "Accept-Encoding");
	if (request->status == 200)
	{
		answer_header(request, "content-type", file->type);
		if (packed)
			answer_header(request, "content-encoding", "gzip");
	}
	answer_send(request, packed ? file->packed : file->data, packed ? file->packed_length : file->length, true);
}

/* Sends a browser to a page's address; without the page, it has none. */
static bool
static_redirect(Request *request, const char *location)
{
	bool		found = false;

	for (int i = 0; i < file_count; i++)
		found |= strcmp(files[i]->path, location) == 0;
	if (!found)
		return false;
	request->route.metric = static_route;
	answer_start(request, 308);
	answer_header(request, "location", location);
	answer_send(request, "", 0, true);
	return true;
}

/* Whether a mail links to a path; a route that somebody has put there comes first. */
static bool
static_is_mailed(const char *path)
{
	for (size_t i = 0; i < lengthof(mail_paths); i++)
		if (strcmp(path, mail_paths[i]) == 0)
			return (route_methods(path) & (1u << METHOD_GET)) == 0;
	return false;
}

/* Answers the request if it is for a page; returns whether it did. */
bool
static_answer(Request *request, const char *path)
{
	const char *name = path;

	if (request->message.method != METHOD_GET && request->message.method != METHOD_HEAD)
		return false;
	if (static_is_mailed(path))
		name = "/";
	for (int i = 0; i < file_count; i++)
		if (strcmp(files[i]->path, name) == 0)
		{
			request->route.metric = static_route;
			static_send(request, files[i], name == path);
			return true;
		}
	if (strcmp(path, "/docs") == 0)
		return static_redirect(request, "/docs/");
	if (strcmp(path, "/admin/") == 0)
		return static_redirect(request, "/admin");
	return false;
}
