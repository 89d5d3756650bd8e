"""A server that answers as Bybit's v5 /market/kline and Yahoo's download do: newest bar first, 1000 bars at most, first a 429 with Retry-After,
then retCode 10006. Daily bars from LISTED on. Every request goes to the log.   fetch_server.py PORT_FILE LOG"""
import json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

DAY, LISTED = 86400000, 1577836800000  # 2020-01-01
seen = {"all": 0}


def bar(t):
    p = 100 + t // DAY % 50
    return [str(t), str(p), str(p + 2), str(p - 1), str(p + 1), str(10 + t // DAY % 7), "5.5"]


class Answer(BaseHTTPRequestHandler):
    def log_message(self, *a):
        pass

    def give(self, status, text, **head):
        self.send_response(status)
        for k, v in head.items():
            self.send_header(k.replace("_", "-"), v)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self):
        url, q = urlparse(self.path), {k: v[0] for k, v in parse_qs(urlparse(self.path).query).items()}
        seen["all"] += 1
        with open(sys.argv[2], "a") as log:
            log.write("%.3f %s\n" % (time.time(), self.path))
        if seen["all"] == 1:
            return self.give(429, "Too Many Requests", Retry_After="1")
        if url.path.startswith("/download/"):
            symbol = url.path.split("/")[-1]
            seen[symbol] = seen.get(symbol, 0) + 1
            if symbol == "BUSY" and seen[symbol] == 1:
                return self.give(429, "Too Many Requests")
            if symbol == "NONE":
                return self.give(404, "404 Not Found: No data found, symbol may be delisted")
            days = range(int(q["period1"]) // 86400, min(int(q["period2"]) // 86400, int(q["period1"]) // 86400 + 50))
            rows = ["%s,1,2,1,1.5,%s,100" % (time.strftime("%Y-%m-%d", time.gmtime(d * 86400)), "1.5") for d in days]
            return self.give(200, "Date,Open,High,Low,Close,Adj Close,Volume\n" + "\n".join(rows))
        answer = lambda code, message, result: self.give(200, json.dumps(
            {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": 1672025956592}, separators=(",", ":")))
        if seen["all"] == 2:
            return answer(10006, "Too many visits. Exceeded the API Rate Limit.", {})
        symbol = q["symbol"]
        seen[symbol] = seen.get(symbol, 0) + 1
        if symbol == "NOPE":
            return answer(10001, "params error: Symbol Is Invalid", {})
        if symbol == "BREAKS" and seen[symbol] in (3, 4, 5):
            return self.give(500, "oops")
        low, high = max(int(q["start"]), LISTED), int(q["end"])
        times = list(range(high // DAY * DAY, (low + DAY - 1) // DAY * DAY - 1, -DAY))[: min(int(q["limit"]), 1000)]
        answer(0, "OK", {"symbol": symbol, "category": q["category"], "list": [bar(t) for t in times]})


server = HTTPServer(("127.0.0.1", 0), Answer)
open(sys.argv[1] + ".tmp", "w").write(str(server.server_port))
__import__("os").rename(sys.argv[1] + ".tmp", sys.argv[1])
server.serve_forever()
