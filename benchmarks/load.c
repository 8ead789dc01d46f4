/* A load client that costs less than the servers it measures: one thread, epoll, 127.0.0.1, no library.

   load drain    PORT PATH [-c CONNECTIONS] [-n SIZE] [-r]            one GET each, read to its end and thrown away;
                                                                      -r gives each an equal range of SIZE bytes
   load requests PORT PATH [-c CONNECTIONS] [-s SECONDS] [-i SECONDS] GETs on kept connections, as fast as answered,
                           [-h "Name: value"] [-e STATUS]             or one every -i seconds; until SIGTERM at most
   load slow     PORT PATH [-c CONNECTIONS] [-s SECONDS] [-b RATE]    GETs that are read at RATE bytes a second each
   load put      PORT PATH -n SIZE [-f]                               one PUT, or with -f one POST of a form with a file

   One JSON object on standard output. Whatever is not as it should be ends the program with 1 and a line that says so.

   Bodies are dropped inside the kernel: recv with MSG_TRUNC on TCP takes bytes off the queue without copying them. A GB
   costs the client 0.1 CPU seconds, a small request 10 microseconds: less than any server measured, though not by much
   where that is nginx. It should have a core of its own. */

#include "load.h"
#include <signal.h>

#define EVENTS 64
#define TICKS 100 /* a slow reader reads so many times a second */

static int connections = 1, expected_status = 200;
static double seconds = 5, interval_s;
static long long size = -1, rate = 50000;
static bool has_ranges, is_form;
static const char *header;
static volatile sig_atomic_t is_stopped;

static void stop(int number) {
    (void)number;
    is_stopped = 1;
}

static void sleep_until(double due_s) {
    struct timespec due = {.tv_sec = (time_t)due_s, .tv_nsec = (long)((due_s - (double)(time_t)due_s) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static int by_value(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* A share of the sorted values: 0.5 is the median. */
static double quantile(const float *sorted, size_t count, double share) {
    return count == 0 ? 0 : sorted[(size_t)(share * (count - 1) + 0.5)];
}

static void check_drained(const struct connection *each, long long wanted) {
    if (each->status != 200 && each->status != 206)
        fail("the answer has status %d", each->status);
    if (each->length >= 0 ? each->received != each->length : each->length == CHUNKED && !is_complete(each))
        fail("the answer has %lld bytes and promised %lld", each->received, each->length);
    if (wanted >= 0 && (each->length >= 0 ? each->received != wanted : each->received < wanted))
        fail("the answer has %lld bytes, not %lld", each->received, wanted);
}

static void ask_for_share(struct connection *each, int number) {
    char more[128];
    long long share = size / connections;
    int count = snprintf(more, sizeof more, "Connection: close");
    if (has_ranges)
        snprintf(more + count, sizeof more - count, "\r\nRange: bytes=%lld-%lld", number * share,
                 (number + 1) * share - 1);
    ask(each, more);
    set_nonblocking(each->fd);
}

static void drain(struct connection *all) {
    int poll = epoll_create1(0), open = connections;
    long long wanted = has_ranges ? size / connections : size, bytes = 0;
    float *first_bytes_s = calloc(connections, sizeof *first_bytes_s);
    double started_s = now_s();
    struct epoll_event events[EVENTS];
    for (int i = 0; i < connections; i++) {
        open_connection(&all[i], poll);
        ask_for_share(&all[i], i);
    }
    while (open > 0) {
        int count = epoll_wait(poll, events, EVENTS, 30000);
        if (count <= 0)
            fail("no bytes for 30 seconds");
        for (int i = 0; i < count; i++) {
            struct connection *each = events[i].data.ptr;
            ssize_t got = receive(each, BUFFER);
            if (got < 0 && errno != EAGAIN)
                fail("cannot receive: %s", strerror(errno));
            if (got != 0 && !is_complete(each))
                continue;
            check_drained(each, wanted);
            close(each->fd);
            open--;
        }
    }
    double elapsed_s = now_s() - started_s;
    for (int i = 0; i < connections; i++) {
        bytes += all[i].received;
        first_bytes_s[i] = all[i].first_byte_s - all[i].asked_s;
    }
    qsort(first_bytes_s, connections, sizeof *first_bytes_s, by_value);
    printf("{\"bytes\": %lld, \"seconds\": %.6f, \"first_byte_s\": %.6f}\n", bytes, elapsed_s,
           quantile(first_bytes_s, connections, 0.5));
}

static float *latencies_s;
static size_t answered, room, errors, reconnects;

static void record(const struct connection *each, double ended_s) {
    if (answered == room) {
        room = room ? room * 2 : 1 << 16;
        latencies_s = realloc(latencies_s, room * sizeof *latencies_s);
        if (latencies_s == NULL)
            fail("no memory for the latencies");
    }
    if (each->status != expected_status)
        errors++;
    latencies_s[answered++] = ended_s - each->asked_s;
}

/* Ask again: at once, or when the next one is due. A late answer makes the next one late too, and that counts. */
static void ask_next(struct connection *each, double *due_s) {
    if (interval_s > 0) {
        *due_s += interval_s;
        sleep_until(*due_s);
    }
    ask(each, header);
    if (interval_s > 0)
        each->asked_s = *due_s;
}

static void reopen(struct connection *each, int poll) {
    /* A server may close a kept connection between two answers; in the middle of one it may not. */
    if (each->head_size > 0)
        errors++;
    reconnects++;
    if (reconnects > 100 && reconnects > answered)
        fail("connections are closed unanswered");
    close(each->fd);
    open_connection(each, poll);
    ask(each, header);
}

static void requests(struct connection *all) {
    int poll = epoll_create1(0);
    double started_s = now_s(), ended_s = started_s, due_s = started_s;
    struct epoll_event events[EVENTS];
    if (interval_s > 0 && connections > 1)
        fail("a pace is for one connection");
    for (int i = 0; i < connections; i++) {
        open_connection(&all[i], poll);
        ask(&all[i], header);
    }
    while (!is_stopped && ended_s < started_s + seconds) {
        int count = epoll_wait(poll, events, EVENTS, 30000);
        if (count == 0)
            fail("no answer for 30 seconds");
        for (int i = 0; i < count; i++) {
            struct connection *each = events[i].data.ptr;
            if (receive(each, BUFFER) <= 0) {
                reopen(each, poll);
                continue;
            }
            ended_s = now_s();
            if (!is_complete(each))
                continue;
            record(each, ended_s);
            ask_next(each, &due_s);
        }
    }
    qsort(latencies_s, answered, sizeof *latencies_s, by_value);
    printf("{\"requests\": %zu, \"seconds\": %.6f, \"requests_per_s\": %.1f, \"p50_s\": %.6f, \"p99_s\": %.6f, "
           "\"errors\": %zu, \"reconnects\": %zu}\n",
           answered, ended_s - started_s, answered / (ended_s - started_s), quantile(latencies_s, answered, 0.5),
           quantile(latencies_s, answered, 0.99), errors, reconnects);
}

static void slow(struct connection *all) {
    long long bytes = 0;
    int cut_off = 0;
    for (int i = 0; i < connections; i++) {
        open_connection(&all[i], -1);
        ask(&all[i], NULL);
        set_nonblocking(all[i].fd);
    }
    /* Ten reads a second each; every tick another tenth of the readers has its turn. */
    double started_s = now_s();
    for (long tick = 0; !is_stopped && tick < seconds * TICKS; tick++) {
        for (int i = tick % (TICKS / 10); i < connections; i += TICKS / 10) {
            ssize_t got = all[i].is_done ? -1 : receive(&all[i], rate / 10);
            bytes += got > 0 ? got : 0;
            if (all[i].is_done || got > 0 || (got < 0 && errno == EAGAIN))
                continue;
            all[i].is_done = true;
            cut_off += !is_complete(&all[i]);
        }
        sleep_until(started_s + (tick + 1.0) / TICKS);
    }
    printf("{\"bytes\": %lld, \"seconds\": %.6f, \"cut_off\": %d}\n", bytes, now_s() - started_s, cut_off);
}

static void put(struct connection *each) {
    static const char before[] = "--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"upload\"\r\n"
                                 "Content-Type: application/octet-stream\r\n\r\n";
    static const char after[] = "\r\n--boundary--\r\n";
    char head[4096];
    long long framing = is_form ? sizeof before - 1 + sizeof after - 1 : 0;
    unsigned long long noise = 88172645463325252ULL;
    for (size_t i = 0; i < BUFFER; i++) { /* xorshift: bytes that no file system can leave out */
        noise ^= noise << 13, noise ^= noise >> 7, noise ^= noise << 17;
        buffer[i] = (char)noise;
    }
    double started_s = now_s();
    open_connection(each, -1);
    int count = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %lld\r\n%s%s\r\n",
                         is_form ? "POST" : "PUT", path, port, size + framing, header ? header : "",
                         header ? "\r\n" : "");
    if (is_form)
        count += snprintf(head + count - 2, sizeof head - count,
                          "Content-Type: multipart/form-data; boundary=boundary\r\n\r\n") - 2;
    send_all(each->fd, head, count);
    if (is_form)
        send_all(each->fd, before, sizeof before - 1);
    for (long long left = size; left > 0; left -= BUFFER)
        send_all(each->fd, buffer, left < BUFFER ? left : BUFFER);
    if (is_form)
        send_all(each->fd, after, sizeof after - 1);
    while (!is_complete(each))
        if (receive(each, BUFFER) <= 0)
            break;
    printf("{\"status\": %d, \"seconds\": %.6f}\n", each->status, now_s() - started_s);
}

static void parse_options(int count, char **arguments) {
    int option;
    while ((option = getopt(count, arguments, "c:n:s:i:h:e:b:rf")) != -1) {
        switch (option) {
        case 'c': connections = atoi(optarg); break;
        case 'n': size = atoll(optarg); break;
        case 's': seconds = atof(optarg); break;
        case 'i': interval_s = atof(optarg); break;
        case 'h': header = optarg; break;
        case 'e': expected_status = atoi(optarg); break;
        case 'b': rate = atoll(optarg); break;
        case 'r': has_ranges = true; break;
        case 'f': is_form = true; break;
        default: exit(2);
        }
    }
}

int main(int count, char **arguments) {
    if (count < 4)
        fail("usage: load drain|requests|slow|put PORT PATH [options]");
    const char *mode = arguments[1];
    port = atoi(arguments[2]);
    path = arguments[3];
    parse_options(count - 3, arguments + 3);
    signal(SIGTERM, stop);
    struct connection *all = calloc(connections, sizeof *all);
    if (strcmp(mode, "drain") == 0)
        drain(all);
    else if (strcmp(mode, "requests") == 0)
        requests(all);
    else if (strcmp(mode, "slow") == 0)
        slow(all);
    else if (strcmp(mode, "put") == 0)
        put(all);
    else
        fail("there is no mode %s", mode);
    return 0;
}
