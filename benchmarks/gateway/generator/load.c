/*
 * The load generator: carries out a plan of connections through a proxy, on one core and one thread.
 *
 *   load PROXY_ADDRESS PROXY_PORT PLAN SLOTS MODE SECONDS
 *
 * PLAN names a file with one connection a line:
 *   SOURCE KIND HOST PORT PATH...
 * SOURCE is the address to connect from; KIND is http (absolute URLs), tls (CONNECT, then a full
 * handshake) or resumed (CONNECT, then a session taken up again, so that TLS costs us next to
 * nothing). SLOTS connections run side by side.
 *
 * MODE says how the plan is used:
 *   keep   each slot keeps one connection and asks for its paths over and over, for SECONDS
 *   cycle  connections come and go, the plan starts again at its end, for SECONDS
 *   once   the plan is carried out once
 *
 * It prints "ready" (connections warm, except with `once`), waits for a line, works, prints "stop"
 * and one line of JSON.
 */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* A proxy that has done nothing for so long will do nothing more. */
static const uint64_t STALLED_NS = 30ull * 1000000000;
static const unsigned MAX_FAILED_IN_A_ROW = 200;

static struct sockaddr_in proxy;
static enum mode mode;
static struct plan plan;
static size_t next_job;
static struct slot *slots;
static size_t slot_count;
static SSL_CTX *context;
static int poller, job_index;
static char buffer[BUFFER];

static bool warm = true;
static size_t resting;
static struct tally tally;
static uint64_t failed_in_a_row, last_progress;

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
  struct job *job = SSL_get_ex_data(ssl, job_index);
  if (job->kind != RESUMED) return 0;
  /* OpenSSL takes each up only once. */
  if (job->session) SSL_SESSION_free(job->session);
  job->session = session;
  return 1;
}

/* ---- one connection ---- */

static void note_error(const char *what, const struct slot *slot) {
  if (!tally.first_error[0])
    snprintf(tally.first_error, sizeof tally.first_error, "%.60s for %.80s, state %d, errno %d", what,
             slot->job ? slot->job->host : "", slot->state, errno);
}

static void close_connection(struct slot *slot) {
  if (slot->ssl) {
    if (slot->state == WAITING || slot->state == FREE) SSL_shutdown(slot->ssl);
    SSL_free(slot->ssl);
    slot->ssl = NULL;
    ERR_clear_error();
  }
  if (slot->fd >= 0) close(slot->fd);
  slot->fd = -1;
}

static void open_connection(struct slot *slot) {
  slot->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (slot->fd < 0) die("no socket: %s", strerror(errno));
  int yes = 1;
  setsockopt(slot->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(slot->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr = slot->job->source};
  if (bind(slot->fd, (struct sockaddr *)&from, sizeof from)) die("bind: %s", strerror(errno));
  slot->began = now_ns();
  slot->used = slot->refused = false;
  slot->state = CONNECTING;
  tally.connections++;
  int result = connect(slot->fd, (struct sockaddr *)&proxy, sizeof proxy);
  if (result && errno != EINPROGRESS) die("connect: %s", strerror(errno));
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = slot};
  epoll_ctl(poller, EPOLL_CTL_ADD, slot->fd, &event);
}

static void prepare(struct slot *slot, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(slot->out, sizeof slot->out, format, arguments);
  va_end(arguments);
  if (length < 0 || (size_t)length >= sizeof slot->out) die("a request is too long");
  slot->out_length = (size_t)length;
  slot->out_sent = 0;
}

static void prepare_request(struct slot *slot) {
  static const char rest[] =
      "Host: %s:%s\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0\r\n"
      "Accept: text/html,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\nConnection: keep-alive\r\n\r\n";
  const struct job *job = slot->job;
  const char *path = job->paths[slot->path];
  char format[512];
  if (job->kind == HTTP) {
    snprintf(format, sizeof format, "GET http://%%s:%%s%%s HTTP/1.1\r\n%s", rest);
    prepare(slot, format, job->host, job->port, path, job->host, job->port);
  } else {
    snprintf(format, sizeof format, "GET %%s HTTP/1.1\r\n%s", rest);
    prepare(slot, format, path, job->host, job->port);
  }
  slot->head_length = 0;
  slot->state = ASK;
}

static enum step outcome(struct slot *slot, int result) {
  switch (SSL_get_error(slot->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return AGAIN;
    case SSL_ERROR_ZERO_RETURN: return ENDED;
    case SSL_ERROR_SYSCALL: ERR_clear_error(); return result == 0 ? ENDED : BROKEN;
    default: {
      bool end = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      ERR_clear_error();
      return end ? ENDED : BROKEN;
    }
  }
}

static enum step take(struct slot *slot, char *into, size_t room, size_t *got) {
  if (slot->ssl) {
    int count = SSL_read(slot->ssl, into, (int)room);
    if (count <= 0) return outcome(slot, count);
    *got = (size_t)count;
  } else {
    ssize_t count = recv(slot->fd, into, room, 0);
    if (count == 0) return ENDED;
    if (count < 0) return errno == EAGAIN ? AGAIN : BROKEN;
    *got = (size_t)count;
  }
  tally.received += *got;
  return ON;
}

static enum step send_out(struct slot *slot) {
  while (slot->out_sent < slot->out_length) {
    const char *from = slot->out + slot->out_sent;
    size_t count = slot->out_length - slot->out_sent;
    if (slot->ssl) {
      int sent = SSL_write(slot->ssl, from, (int)count);
      if (sent <= 0) return outcome(slot, sent);
      slot->out_sent += (size_t)sent;
    } else {
      ssize_t sent = send(slot->fd, from, count, MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN ? AGAIN : BROKEN;
      slot->out_sent += (size_t)sent;
    }
  }
  return ON;
}

/* ---- answers ---- */

/* Reads head bytes until the empty line; what came after it is moved to `buffer`. */
static enum step read_head(struct slot *slot, size_t *beyond) {
  for (;;) {
    size_t got = 0;
    enum step step = take(slot, slot->head + slot->head_length, MAX_HEAD - 1 - slot->head_length, &got);
    if (step != ON) return step;
    slot->head_length += got;
    slot->head[slot->head_length] = 0;
    char *end = memmem(slot->head, slot->head_length, "\r\n\r\n", 4);
    if (!end) {
      if (slot->head_length >= MAX_HEAD - 1) return BROKEN;
      continue;
    }
    *beyond = slot->head_length - (size_t)(end + 4 - slot->head);
    memcpy(buffer, end + 4, *beyond);
    end[2] = 0;
    return sscanf(slot->head, "HTTP/1.%*d %d", &slot->status) == 1 ? ON : BROKEN;
  }
}

/* ---- the order of things ---- */

static void count_answer(struct slot *slot) {
  uint64_t now = now_ns();
  last_progress = now;
  failed_in_a_row = 0;
  if (warm) return;
  count_one(&tally, slot, now - slot->began);
}

/* Opens a connection for what is left of the slot's job, or for the next one. */
static void next_connection(struct slot *slot) {
  close_connection(slot);
  slot->state = FREE;
  if (!slot->job || slot->path >= slot->job->path_count) {
    if (mode == ONCE && next_job >= plan.count) {
      resting++;
      return;
    }
    if (mode != KEEP || !slot->job) slot->job = &plan.jobs[next_job++ % plan.count];
    slot->path = 0;
  }
  open_connection(slot);
}

static void rest(struct slot *slot) {
  slot->state = WAITING;
  resting++;
}

static void next_request(struct slot *slot) {
  struct job *job = slot->job;
  slot->path++;
  bool more = slot->path < job->path_count;
  if (!more && mode == KEEP) {
    slot->path = 0;
    more = true;
  }
  if (slot->closes || slot->refused || !more) {
    slot->state = WAITING;
    next_connection(slot);
    return;
  }
  slot->began = now_ns();
  prepare_request(slot);
}

static void answered(struct slot *slot) {
  count_answer(slot);
  slot->used = true;
  if (warm) {
    rest(slot);
    return;
  }
  next_request(slot);
}

static void fail(struct slot *slot, const char *what) {
  /* A kept connection may be closed between two requests: nothing was lost. */
  bool between = slot->used && (slot->state == ASK || slot->state == HEAD) && slot->head_length == 0;
  if (!between) {
    note_error(what, slot);
    tally.failed++;
    slot->path++;
    if (++failed_in_a_row > MAX_FAILED_IN_A_ROW) {
      printf("stop\n{\"error\": \"%llu failures in a row: %s\"}\n",
             (unsigned long long)failed_in_a_row, tally.first_error);
      exit(1);
    }
  }
  slot->state = BODY; /* no close_notify */
  next_connection(slot);
}

static void start_tls(struct slot *slot) {
  slot->ssl = SSL_new(context);
  SSL_set_fd(slot->ssl, slot->fd);
  SSL_set_ex_data(slot->ssl, job_index, slot->job);
  SSL_set_tlsext_host_name(slot->ssl, slot->job->host);
  if (slot->job->session) SSL_set_session(slot->ssl, slot->job->session);
  SSL_set_connect_state(slot->ssl);
  slot->state = HANDSHAKE;
}

static enum step connected(struct slot *slot) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error) return BROKEN;
  struct sockaddr_in peer;
  length = sizeof peer;
  if (getpeername(slot->fd, (struct sockaddr *)&peer, &length)) return AGAIN;
  if (slot->job->kind == HTTP) {
    prepare_request(slot);
  } else {
    const struct job *job = slot->job;
    prepare(slot, "CONNECT %s:%s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", job->host, job->port, job->host, job->port);
    slot->head_length = 0;
    slot->state = ASK_TUNNEL;
  }
  return ON;
}

static enum step head(struct slot *slot, bool tunnel) {
  size_t beyond = 0;
  enum step step = read_head(slot, &beyond);
  if (step != ON) return step;
  if (tunnel && slot->status == 200) {
    if (beyond) return BROKEN;
    start_tls(slot);
    return ON;
  }
  slot->refused = tunnel;
  understand_head(slot);
  slot->state = BODY;
  bool complete = !slot->to_end && !slot->chunked && slot->left == 0;
  if (complete || (beyond && take_body(slot, buffer, beyond))) answered(slot);
  return slot->state == WAITING || slot->state == FREE ? AGAIN : ON;
}

static enum step body(struct slot *slot) {
  size_t got = 0;
  enum step step = take(slot, buffer, sizeof buffer, &got);
  if (step == ENDED && slot->to_end) {
    slot->closes = true;
    answered(slot);
    return AGAIN;
  }
  if (step != ON) return step;
  last_progress = now_ns();
  if (take_body(slot, buffer, got)) answered(slot);
  return slot->state == WAITING || slot->state == FREE ? AGAIN : ON;
}

static enum step handshake(struct slot *slot) {
  int result = SSL_do_handshake(slot->ssl);
  if (result != 1) return outcome(slot, result);
  prepare_request(slot);
  return ON;
}

static enum step advance(struct slot *slot) {
  enum step step;
  switch (slot->state) {
    case CONNECTING: return connected(slot);
    case ASK_TUNNEL:
      if ((step = send_out(slot)) == ON) slot->state = TUNNEL_HEAD;
      return step;
    case TUNNEL_HEAD: return head(slot, true);
    case HANDSHAKE: return handshake(slot);
    case ASK:
      if ((step = send_out(slot)) == ON) slot->state = HEAD;
      return step;
    case HEAD: return head(slot, false);
    case BODY: return body(slot);
    default: return AGAIN;
  }
}

static void drive(struct slot *slot) {
  for (;;) {
    switch (advance(slot)) {
      case ON: continue;
      case AGAIN: return;
      case ENDED: fail(slot, "the proxy closed the connection"); return;
      case BROKEN: fail(slot, "the connection broke"); return;
    }
  }
}

static void turn_until(uint64_t end_ns) {
  struct epoll_event events[MAX_EVENTS];
  while (resting < slot_count) {
    uint64_t now = now_ns();
    if (now >= end_ns) return;
    if (now - last_progress > STALLED_NS) {
      printf("stop\n{\"error\": \"nothing came for %d s; %s\"}\n", (int)(STALLED_NS / 1000000000), tally.first_error);
      exit(1);
    }
    uint64_t left = (end_ns - now) / 1000000 + 1;
    int count = epoll_wait(poller, events, MAX_EVENTS, left < 1000 ? (int)left : 1000);
    for (int i = 0; i < count; i++) drive(events[i].data.ptr);
  }
}

static void make_context(void) {
  context = SSL_CTX_new(TLS_client_method());
  /* Who signed is asked once, before the load; it is the proxy's work that is measured. */
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_options(context, SSL_OP_ALLOW_NO_DHE_KEX);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  job_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static void wait_for_go(void) {
  printf("ready\n");
  fflush(stdout);
  char line[16];
  if (!fgets(line, sizeof line, stdin)) exit(2);
}

int main(int count, char **arguments) {
  if (count != 7) die("usage: load PROXY_ADDRESS PROXY_PORT PLAN SLOTS keep|cycle|once SECONDS");
  proxy.sin_family = AF_INET;
  proxy.sin_port = htons((uint16_t)atoi(arguments[2]));
  if (inet_pton(AF_INET, arguments[1], &proxy.sin_addr) != 1) die("no address: %s", arguments[1]);
  plan = read_plan(arguments[3]);
  slot_count = (size_t)atoi(arguments[4]);
  mode = !strcmp(arguments[5], "keep") ? KEEP : !strcmp(arguments[5], "cycle") ? CYCLE : ONCE;
  double seconds = atof(arguments[6]);
  make_context();
  poller = epoll_create1(EPOLL_CLOEXEC);
  slots = calloc(slot_count, sizeof *slots);
  if (!slots) die("no memory");
  for (size_t i = 0; i < slot_count; i++) slots[i].fd = -1;

  last_progress = now_ns();
  if (mode != ONCE) {
    for (size_t i = 0; i < slot_count; i++) next_connection(&slots[i]);
    turn_until(UINT64_MAX);
  }
  tally = (struct tally){0};
  warm = false;
  wait_for_go();

  uint64_t began = last_progress = now_ns();
  resting = 0;
  for (size_t i = 0; i < slot_count; i++) {
    if (mode == ONCE) next_connection(&slots[i]);
    else next_request(&slots[i]);
    drive(&slots[i]);
  }
  turn_until(mode == ONCE ? UINT64_MAX : began + (uint64_t)(seconds * 1e9));
  /* The very slow are given more time, so that there is something to count. */
  for (int more = 0; mode != ONCE && tally.answers < slot_count && more < 9; more++)
    turn_until(now_ns() + (uint64_t)(seconds * 1e9));
  report(&tally, (double)(now_ns() - began) / 1e9);
  return 0;
}
