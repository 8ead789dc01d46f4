/* One connection of the load client: how it asks, and how it reads and judges an answer. */

#ifndef LOAD_H
#define LOAD_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (1 << 20)
#define HEAD (16 << 10)
#define CHUNKED (-2)
#define UNTIL_CLOSED (-1)

/* Where to ask: set once, by main. */
static const char *path;
static int port;

static char buffer[BUFFER];

struct connection {
    int fd, status;
    bool is_done;
    double asked_s, first_byte_s;
    long long length;   /* of the body, or CHUNKED, or UNTIL_CLOSED */
    long long received; /* of the body, chunk framing included */
    size_t head_size;   /* of what is in head: it, and the body that came with it */
    bool has_head;
    char head[HEAD + 1];
    char tail[7];
};

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static double now_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static const char *field(const char *head, const char *name) {
    const char *found = strcasestr(head, name);
    return found == NULL ? NULL : found + strlen(name);
}

/* Keep the last seven bytes: a chunked answer that nothing follows ends with "\r\n0\r\n\r\n". */
static void keep_tail(struct connection *each, const char *bytes, size_t count) {
    size_t width = sizeof each->tail, kept = count < width ? width - count : 0;
    memmove(each->tail, each->tail + width - kept, kept);
    memcpy(each->tail + kept, bytes + count - (width - kept), width - kept);
}

static void parse_head(struct connection *each, const char *end) {
    const char *length, *body = end + 4;
    size_t count = each->head + each->head_size - body;
    each->status = atoi(each->head + strlen("HTTP/1.1 "));
    each->has_head = true;
    each->head[body - each->head - 1] = '\0';
    if (each->status == 304 || each->status == 204)
        each->length = 0;
    else if ((length = field(each->head, "\r\ncontent-length:")) != NULL)
        each->length = atoll(length);
    else
        each->length = field(each->head, "\r\ntransfer-encoding: chunked") ? CHUNKED : UNTIL_CLOSED;
    each->received = count;
    keep_tail(each, body, count);
}

static bool is_complete(const struct connection *each) {
    if (!each->has_head || each->length == UNTIL_CLOSED)
        return false;
    if (each->length == CHUNKED)
        return each->received >= 5 && memcmp(each->tail + 2, "0\r\n\r\n", 5) == 0 &&
               (each->received == 5 || memcmp(each->tail, "\r\n", 2) == 0);
    return each->received >= each->length;
}

/* Read once, at most `most` bytes. What recv says: 0 is the end, -1 an error. */
static ssize_t receive(struct connection *each, size_t most) {
    ssize_t count;
    if (!each->has_head) {
        size_t room = HEAD - each->head_size;
        char *end;
        if (room == 0)
            fail("a head of more than %d bytes", HEAD);
        count = recv(each->fd, each->head + each->head_size, room < most ? room : most, 0);
        if (count <= 0)
            return count;
        if (each->head_size == 0)
            each->first_byte_s = now_s();
        each->head_size += count;
        each->head[each->head_size] = '\0';
        if ((end = strstr(each->head, "\r\n\r\n")) != NULL)
            parse_head(each, end);
        return count;
    }
    count = recv(each->fd, buffer, most < BUFFER ? most : BUFFER, each->length >= 0 ? MSG_TRUNC : 0);
    if (count > 0) {
        each->received += count;
        if (each->length < 0)
            keep_tail(each, buffer, count);
    }
    return count;
}

static void send_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0)
            fail("cannot send: %s", strerror(errno));
        bytes += sent;
        count -= sent;
    }
}

static int connected(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("cannot connect to port %d: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* Ask for the path, with one more field of the head or none. */
static void ask(struct connection *each, const char *more) {
    char request[4096];
    int count = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n", path, port,
                         more ? more : "", more ? "\r\n" : "");
    each->has_head = false;
    each->head_size = 0;
    each->received = 0;
    each->first_byte_s = 0;
    each->asked_s = now_s();
    send_all(each->fd, request, count);
}

static void open_connection(struct connection *each, int poll) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = each};
    each->fd = connected();
    if (poll >= 0 && epoll_ctl(poll, EPOLL_CTL_ADD, each->fd, &event) != 0)
        fail("cannot watch a connection: %s", strerror(errno));
}

static void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

#endif
