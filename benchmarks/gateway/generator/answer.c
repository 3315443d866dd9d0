/* Answers of HTTP/1: where a body ends, in whichever of the three ways it is told. */
#define _GNU_SOURCE
#include "load.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *header(const char *head, const char *name) {
  size_t length = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
      const char *value = line + 3 + length;
      return value + strspn(value, " ");
    }
  }
  return NULL;
}

void understand_head(struct slot *slot) {
  const char *length = header(slot->head, "content-length");
  const char *coding = header(slot->head, "transfer-encoding");
  const char *connection = header(slot->head, "connection");
  slot->chunked = coding && strncasecmp(coding, "chunked", 7) == 0;
  bool empty = slot->status == 204 || slot->status == 304;
  slot->left = length ? strtoull(length, NULL, 10) : 0;
  slot->to_end = !slot->chunked && !length && !empty;
  slot->closes = slot->to_end || (connection && strncasecmp(connection, "close", 5) == 0) ||
                 (strncmp(slot->head, "HTTP/1.0", 8) == 0 &&
                  !(connection && strncasecmp(connection, "keep-alive", 10) == 0));
  slot->chunk_state = 0;
  slot->line_length = 0;
}

bool take_body(struct slot *slot, const char *bytes, size_t count) {
  if (slot->to_end) return false;
  if (!slot->chunked) {
    slot->left -= count < slot->left ? count : slot->left;
    return slot->left == 0;
  }
  while (count > 0) {
    if (slot->chunk_state == 1) {
      size_t part = count < slot->left ? count : (size_t)slot->left;
      slot->left -= part;
      bytes += part;
      count -= part;
      if (slot->left == 0) slot->chunk_state = 2;
      continue;
    }
    char byte = *bytes++;
    count--;
    if (byte != '\n') {
      if (byte != '\r' && slot->line_length < sizeof slot->line - 1) slot->line[slot->line_length++] = byte;
      continue;
    }
    slot->line[slot->line_length] = 0;
    bool empty = slot->line_length == 0;
    slot->line_length = 0;
    if (slot->chunk_state == 2) {
      slot->chunk_state = 0;
    } else if (slot->chunk_state == 3) {
      if (empty) return true;
    } else {
      slot->left = strtoull(slot->line, NULL, 16);
      slot->chunk_state = slot->left ? 1 : 3;
    }
  }
  return false;
}
