#!/usr/bin/env python3
"""A small HTTP server in front of `git http-backend`, well-behaved or not, for tests.

usage: git_server.py FOLDER TOKEN [CERTIFICATE KEY | --port PORT]

The first part of a path says how it behaves, the rest is a repository in FOLDER:
/open/ serves; /private/ wants TOKEN as password; /moved/ sends to another host; /slow/ sends
little by little; /silent/ accepts and says nothing; /cut/ stops in the middle of a pack;
/garbage/ says something else. Prints its port, then a line for each request.
"""
import base64
import http.server
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

FOLDER, TOKEN = sys.argv[1:3]
SLOW_BYTES, SLOW_S = 8192, 0.1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def say(self, code, body=b"", headers=()):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while True:
            size = int(self.rfile.readline(), 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(parts)

    def may(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        return kind == "Basic" and base64.b64decode(value).decode().partition(":")[2] == TOKEN

    def backend(self, path, query, body):
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": FOLDER,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        reply = subprocess.run(["git", "http-backend"], env=environment, input=body,
                               stdout=subprocess.PIPE, check=False).stdout
        head, _, content = reply.partition(b"\r\n\r\n")
        code, headers = 200, []
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            if name.lower() == "status":
                code = int(value.split()[0])
            elif name:
                headers.append((name, value))
        return code, headers, content

    def answer(self):
        url = urllib.parse.urlsplit(self.path)  # of a proxy, it is the whole address
        print(self.command, self.path, "token" if self.may() else "-", flush=True)
        manner, _, rest = url.path.lstrip("/").partition("/")
        body = self.body()
        if manner == "silent":
            time.sleep(60)
            return
        if manner == "garbage":
            self.say(200, b"<html>hello</html>", [("Content-Type", "text/html")])
            return
        if manner == "private" and not self.may():
            self.say(401, b"who are you?", [("WWW-Authenticate", 'Basic realm="lab"'), ("Content-Type", "text/plain")])
            return
        if manner == "moved":
            where = f"http://localhost:{self.server.server_port}/open/{rest}?{url.query}"
            self.say(301, b"", [("Location", where)])
            return
        code, headers, content = self.backend("/" + rest, url.query, body)
        is_pack = self.command == "POST"
        if manner == "cut" and is_pack:
            self.send_response(200)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        if manner == "slow" and is_pack:
            self.send_response(200)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for at in range(0, len(content), SLOW_BYTES):
                self.wfile.write(content[at:at + SLOW_BYTES])
                time.sleep(SLOW_S)
            return
        self.say(code, content, headers)

    def do_CONNECT(self):
        """As a proxy: whatever is asked for, it is us."""
        print(self.command, self.path, "-", flush=True)
        there = socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2])))
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        pumps = [threading.Thread(target=pump, args=ends) for ends in
                 ((self.connection, there), (there, self.connection))]
        for thread in pumps:
            thread.start()
        for thread in pumps:
            thread.join()

    do_GET = do_POST = answer


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other end has gone


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # clients that are killed are what the tests are about


WANTS_PORT = len(sys.argv) > 3 and sys.argv[3] == "--port"
server = Server(("127.0.0.1", int(sys.argv[4]) if WANTS_PORT else 0), Handler)
if len(sys.argv) > 3 and not WANTS_PORT:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
