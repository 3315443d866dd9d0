/* What is counted, and how it is told. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

void count_one(struct tally *tally, const struct slot *slot, uint64_t took_ns) {
  if (tally->answers == tally->room) {
    tally->room = tally->room ? tally->room * 2 : 65536;
    tally->latencies_us = realloc(tally->latencies_us, tally->room * sizeof *tally->latencies_us);
    if (!tally->latencies_us) die("no memory");
  }
  tally->latencies_us[tally->answers++] = (uint32_t)(took_ns / 1000);
  if (slot->status >= 0 && slot->status < 1000) tally->statuses[slot->status]++;
  if (slot->refused) tally->refused_tunnels++;
}

static int by_value(const void *left, const void *right) {
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

static double percentile_ms(const struct tally *tally, double share) {
  if (!tally->answers) return 0;
  size_t at = (size_t)(share * (double)tally->answers);
  return tally->latencies_us[at < tally->answers ? at : tally->answers - 1] / 1000.0;
}

void report(struct tally *tally, double seconds) {
  /* First, and alone: whoever reads it looks at the proxy's CPU time now. */
  printf("stop\n");
  fflush(stdout);
  if (tally->answers)
    qsort(tally->latencies_us, tally->answers, sizeof *tally->latencies_us, by_value);
  printf("{\"answers\": %zu, \"failed\": %llu, \"connections\": %llu, \"refused_tunnels\": %llu, "
         "\"seconds\": %.6f, \"received\": %llu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
         "\"failure\": \"%s\", \"statuses\": {",
         tally->answers, (unsigned long long)tally->failed, (unsigned long long)tally->connections,
         (unsigned long long)tally->refused_tunnels, seconds, (unsigned long long)tally->received,
         percentile_ms(tally, 0.5), percentile_ms(tally, 0.99), tally->first_error);
  const char *comma = "";
  for (int status = 0; status < 1000; status++)
    if (tally->statuses[status]) {
      printf("%s\"%d\": %llu", comma, status, (unsigned long long)tally->statuses[status]);
      comma = ", ";
    }
  printf("}}\n");
}
