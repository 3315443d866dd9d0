/* The plan: one connection a line, see load.c. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(2);
}

struct plan read_plan(const char *path) {
  struct job *jobs = NULL;
  size_t job_count = 0;
  FILE *file = fopen(path, "r");
  if (!file) die("cannot read %s", path);
  char *line = NULL;
  size_t room = 0;
  while (getline(&line, &room, file) > 0) {
    jobs = realloc(jobs, (job_count + 1) * sizeof *jobs);
    struct job *job = &jobs[job_count++];
    memset(job, 0, sizeof *job);
    const char *source = strtok(line, " \n"), *kind = strtok(NULL, " \n");
    const char *host = strtok(NULL, " \n"), *port = strtok(NULL, " \n");
    if (!port || inet_pton(AF_INET, source, &job->source) != 1) die("plan line %zu", job_count);
    job->kind = !strcmp(kind, "http") ? HTTP : !strcmp(kind, "tls") ? TLS : RESUMED;
    job->host = strdup(host);
    job->port = strdup(port);
    for (char *word; (word = strtok(NULL, " \n"));) {
      job->paths = realloc(job->paths, (job->path_count + 1) * sizeof *job->paths);
      job->paths[job->path_count++] = strdup(word);
    }
    if (!job->path_count) die("plan line %zu has no path", job_count);
  }
  free(line);
  fclose(file);
  if (!job_count) die("the plan is empty");
  return (struct plan){jobs, job_count};
}
