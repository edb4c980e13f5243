"""Each proxy's configuration for a scenario, in its own terms: writes files into `home` and gives the command."""


def rproxy(build, home, port, origin, scenario):
    routes = "".join(f'[[routes]]\nmatch = "*/r{i}/*"\nupstream = "app"\n' for i in range(scenario.routes))
    forwarding = "" if scenario.log else "[forwarding]\nx_forwarded = false\nforwarded = false\nvia = false\nrequest_id = false\n"
    log = f'access_log = {{ path = "{home}/access.log", format = "combined" }}\n' if scenario.log else ""
    kind = "https" if scenario.tls else "http"
    protocols = 'protocols = ["h2"]\n' if scenario.streams else ""
    upstream = 'protocol = "h2"\n' if scenario.upstream_http2 else ""
    tls = (f'[tls]\ncert = "{home}/cert.pem"\nkey = "{home}/cert.key"\nmin_version = "1.3"\n'
           f'session_tickets = {"false" if scenario.close else "true"}\n') if scenario.tls else ""
    target = f'files = "{home}/www"' if scenario.files else 'upstream = "app"'
    (home / "rproxy.toml").write_text(
        f'{log}[server]\nworkers = 1\nlog_level = "error"\n[listen]\n{kind} = "127.0.0.1:{port}"\n{protocols}{tls}{forwarding}'
        f'[upstreams.app]\nservers = ["127.0.0.1:{origin}"]\n{upstream}{routes}[[routes]]\nmatch = "*"\n{target}\n'
        f'{"cache = { cache_status = false }" if scenario.cached else ""}\n'
        + (f'[cache]\nmax_object = "64KiB"\n[cache.disk]\npath = "{home}/rproxy-cache"\n' if scenario.disk else ""))
    return [str(build / "bin/rproxy"), "serve", str(home / "rproxy.toml")]


def nginx(_, home, port, origin, scenario):
    routes = "".join(f"location /r{i}/ {{ proxy_pass http://app; }}\n" for i in range(scenario.routes))
    forwarding = ("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;"
                  "proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Request-ID $request_id;") if scenario.log else ""
    log = f"{home}/access.log combined buffer=32k flush=1s" if scenario.log else "off"
    tls = (f"ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/cert.key; ssl_protocols TLSv1.3;"
           f"ssl_session_tickets {'off' if scenario.close else 'on'};") if scenario.tls else ""
    (home / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {home}/nginx.pid; error_log {home}/error.log crit;
events {{ worker_connections 9900; }}
http {{
  access_log {log}; keepalive_requests 1000000000; client_body_temp_path {home}/a; proxy_temp_path {home}/b;
  fastcgi_temp_path {home}/c; uwsgi_temp_path {home}/d; scgi_temp_path {home}/e; server_tokens off;
  {f"proxy_cache_path {home}/cache keys_zone=hits:10m; sendfile on; tcp_nopush on;" if scenario.cached else ""}
  {"gzip on; gzip_types application/json text/javascript; gzip_proxied any;" if scenario.accept else ""}
  upstream app {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} {"ssl" if scenario.tls else ""} {"http2" if scenario.streams else ""} backlog=4096; {tls}
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; {forwarding}
    {routes}
    {f"location /file/ {{ root {home}/www; sendfile on; tcp_nopush on; open_file_cache max=1000; }}" if scenario.files else ""}
    location / {{ proxy_pass http://app; {"proxy_cache hits;" if scenario.cached else ""} }}
  }}
}}""")
    return ["nginx", "-e", f"{home}/error.log", "-c", f"{home}/nginx.conf"]


def haproxy(_, home, port, origin, scenario):
    backends = "".join(f"use_backend app if {{ path_beg /r{i}/ }}\n" for i in range(min(scenario.routes, 0)))
    (home / "routes.map").write_text("".join(f"/r{i}/ app\n" for i in range(scenario.routes)))
    by_map = f"use_backend %[path,map_beg({home}/routes.map,app)]\n" if scenario.routes else ""
    forwarding = "option forwardfor\nhttp-request set-header X-Forwarded-Proto http\nhttp-request set-header X-Request-ID %[uuid()]\n"
    log = "option httplog\nlog global\n" if scenario.log else ""
    target = f"log {home}/log.sock local0\n" if scenario.log else ""
    tls = f"ssl crt {home}/both.pem ssl-min-ver TLSv1.3 {'no-tls-tickets' if scenario.close else ''}" if scenario.tls else ""
    protocol = ("alpn h2" if scenario.tls else "proto h2") if scenario.streams else ""
    (home / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 9000
  tune.ssl.default-dh-param 2048
  {"tune.ssl.cachesize 0" if scenario.close else ""}
  {target}
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  {log}
{"cache hits" if scenario.cached else ""}
  {"total-max-size 64" if scenario.cached else ""}
  {"max-object-size 2000000" if scenario.cached else ""}
frontend front
  {"compression algo gzip" if scenario.accept else ""}
  {"compression type text/html text/javascript application/json" if scenario.accept else ""}
  bind 127.0.0.1:{port} {tls} {protocol}
  {forwarding if scenario.log else ""}
  {backends}{by_map}
  default_backend app
backend app
  http-reuse always
  {"http-request cache-use hits" if scenario.cached else ""}
  {"http-response cache-store hits" if scenario.cached else ""}
  server one 127.0.0.1:{origin} {"proto h2" if scenario.upstream_http2 else ""}
""")
    return ["haproxy", "-db", "-f", str(home / "haproxy.cfg")]


# For hits alone: it is a cache and nothing else.
def varnish(_, home, port, origin, scenario):
    return ["varnishd", "-F", "-a", f"127.0.0.1:{port}", "-b", f"127.0.0.1:{origin}", "-n", f"{home}/varnish", "-s", "malloc,256m"]


# The next two are for HTTP/2 alone.


def h2o(_, home, port, origin, scenario):
    tls = f"""
  ssl:
    certificate-file: {home}/cert.pem
    key-file: {home}/cert.key
    minimum-version: TLSv1.3
    neverbleed: OFF""" if scenario.tls else ""
    (home / "h2o.conf").write_text(f"""
user: root
num-threads: 1
http2-idle-timeout: 60
listen:
  host: 127.0.0.1
  port: {port}{tls}
proxy.emit-x-forwarded-headers: OFF
proxy.emit-via-header: OFF
proxy.preserve-host: ON
proxy.timeout.keepalive: 60000
hosts:
  default:
    paths:
      "/":
        proxy.reverse.url: "http://127.0.0.1:{origin}/"
""")
    return ["h2o", "-c", str(home / "h2o.conf")]


def nghttpx(_, home, port, origin, scenario):
    front = f"127.0.0.1,{port}" if scenario.tls else f"127.0.0.1,{port};no-tls"
    back = f"127.0.0.1,{origin}" + (";;proto=h2" if scenario.upstream_http2 else "")
    return ["nghttpx", "--conf=/dev/null", f"--frontend={front}", f"--backend={back}", "--workers=1",
            "--single-process", "--no-via", "--no-add-x-forwarded-proto", "--tls-min-proto-version=TLSv1.3",
            "--tls-max-proto-version=TLSv1.3", f"--errorlog-file={home}/error.log", f"{home}/cert.key", f"{home}/cert.pem"]


HTTP1 = {"rproxy": rproxy, "nginx": nginx, "haproxy": haproxy}
FILES = {"rproxy": rproxy, "nginx": nginx}
CACHES = {**HTTP1, "varnish": varnish}
HTTP2 = {**HTTP1, "h2o": h2o, "nghttpx": nghttpx}
# Those that speak it to the origin too.
HTTP2_BOTH_WAYS = {"rproxy": rproxy, "haproxy": haproxy, "nghttpx": nghttpx}
