/* What the parts of the load generator share: the plan, a connection, its answers. */
#ifndef LOAD_H
#define LOAD_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_HEAD = 65536, MAX_REQUEST = 8192, BUFFER = 262144, MAX_EVENTS = 256 };

enum kind { HTTP, TLS, RESUMED };
enum mode { KEEP, CYCLE, ONCE };
enum state { FREE, CONNECTING, ASK_TUNNEL, TUNNEL_HEAD, HANDSHAKE, ASK, HEAD, BODY, WAITING };
enum step { AGAIN, ON, ENDED, BROKEN };

struct job {
  struct in_addr source;
  enum kind kind;
  char *host, *port;
  char **paths;
  size_t path_count;
  SSL_SESSION *session;
};

struct slot {
  int fd;
  enum state state;
  SSL *ssl;
  struct job *job;
  size_t path;
  uint64_t began;
  char out[MAX_REQUEST];
  size_t out_length, out_sent;
  char head[MAX_HEAD];
  size_t head_length;
  int status;
  bool closes, chunked, to_end, refused;
  uint64_t left;    /* of the body or of the chunk */
  int chunk_state;  /* 0 size line, 1 data, 2 line end after data, 3 trailers */
  char line[64];
  size_t line_length;
  bool used;        /* an answer has come over this connection */
};

struct plan {
  struct job *jobs;
  size_t count;
};

/* What came of the load since it began. */
struct tally {
  uint32_t *latencies_us;
  size_t answers, room;
  uint64_t failed, connections, refused_tunnels, received, statuses[1000];
  char first_error[200];
};

/* Ends the program with a message. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

/* Reads a plan, or ends the program. */
struct plan read_plan(const char *path);

/* Takes from the slot's head how its body will end and whether the connection is kept. */
void understand_head(struct slot *slot);

/* Takes body bytes; true when the body is complete. */
bool take_body(struct slot *slot, const char *bytes, size_t count);

/* Counts the answer that a slot has just got. */
void count_one(struct tally *tally, const struct slot *slot, uint64_t took_ns);

/* Prints "stop" and what was counted. */
void report(struct tally *tally, double seconds);

#endif
