"""escape_check.py KIND: the files of escape_fuzz read by the target's own reader must give the texts back."""
import csv, html.parser, json, re, sys

raw = open("texts", "rb").read().split(b"\0")[:-1]
TURNS = set(range(0x202A, 0x202F)) | set(range(0x2066, 0x206A)) | {0x200E, 0x200F, 0x061C}
CONTROL = set(range(32)) | set(range(0x7F, 0xA0)) | {0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF}


def characters(b):
    """Each character as text, or None for a byte that begins none."""
    while b:
        for n in (1, 2, 3, 4):
            try:
                yield b[:n].decode()
                break
            except UnicodeDecodeError:
                pass
        else:
            n = 1
            yield None
        b = b[n:]


def seen(b, invalid, control=None, keep=""):
    """The text with bytes that are none replaced, and, where the target has no form for them, control characters."""
    odd = TURNS | CONTROL
    return "".join(invalid if c is None else control if control is not None and ord(c) in odd and c not in keep else c for c in characters(b))


def same(found, needed):
    assert len(found) == len(needed), f"{len(found)} texts, not {len(needed)}"
    for f, n, b in zip(found, needed, raw):
        assert f == n, f"{b!r}: found {f!r}; needed {n!r}"


def check_csv():
    def field(b):
        t = b.decode("utf-8", "surrogateescape")
        s = t.lstrip(" \t\r\n")
        return "'" + t if s and s[0] in "=+-@" and re.search(r"[(|!#]", s) else t
    rows = list(csv.reader(open("x.csv", newline="", encoding="utf-8", errors="surrogateescape"), strict=True))
    assert all(len(r) == 2 and r[1] == "0" for r in rows)
    same([r[0] for r in rows], [field(b) for b in raw])


def check_json():
    same(json.load(open("x.json", encoding="utf-8")), [seen(b, "\ufffd") for b in raw])


def check_yaml():
    import yaml
    found, needed = yaml.load(open("x.yaml", encoding="utf-8"), yaml.BaseLoader), [seen(b, "\ufffd") for b in raw]
    same(found[1::2], needed)
    for map_, text in zip(found[::2], needed):
        assert map_ == {"a": text, text: ["b"]} or text == "a", text


def check_html():
    class Reader(html.parser.HTMLParser):
        def __init__(self):
            super().__init__(convert_charrefs=True)
            self.titles, self.texts = [], []
        def handle_starttag(self, tag, attributes):
            assert tag == "p" and [a[0] for a in attributes] == ["title"], (tag, attributes)
            self.titles.append(attributes[0][1])
            self.texts.append("")
        def handle_data(self, data):
            if self.texts and self.open: self.texts[-1] += data
        def handle_endtag(self, tag):
            assert tag == "p"
            self.open = False
        def handle_comment(self, data): raise AssertionError(data)
        def handle_pi(self, data): raise AssertionError(data)
        def parse_starttag(self, i):
            self.open = True
            return super().parse_starttag(i)
    reader = Reader()
    reader.open = False
    reader.feed(open("x.html", encoding="utf-8", newline="").read())
    needed = [seen(b, "\ufffd", "\ufffd", "\n\t\r") for b in raw]
    same(reader.titles, needed)
    same(reader.texts, needed)


def tokens(line, form, plain):
    """A line as what its tokens stand for; anything that is no token is a hole."""
    out, at = "", 0
    while at < len(line):
        m = form.match(line, at)
        assert m, f"{line!r}: an unescaped special at {at}: {line[at:]!r}"
        out += plain(m.group())
        at = m.end()
    return out


def check_markdown():
    form = re.compile(r"\\[!-/:-@\[-`{-~]|[^\\`*_{}\[\]<>#|~&$!\x00-\x1f\x7f]")
    lines = open("x.md", encoding="utf-8", newline="").read().split("\n")[2:-1]
    found = []
    for line in lines:
        assert line.startswith("| ") and line.endswith(" | b |"), line
        cell = line[2:-6]
        assert not re.match(r"[-+=]|\d+[.)]", cell), cell
        found.append(tokens(cell, form, lambda t: t[-1]))
    same(found, [seen(b, "?", " ") for b in raw])


def check_latex():
    name = {"\\textasciitilde{}": "~", "\\textasciicircum{}": "^", "\\textbackslash{}": "\\", "\\textbar{}": "|"}
    form = re.compile(r"\\text(?:asciitilde|asciicircum|backslash|bar)\{\}|\\[&%$#_{}]|\$[<>]\$|\{[\[\]*]\}|[^\\&%$#_{}~^<>|\[\]*\x00-\x1f\x7f]")
    lines = open("x.tex", encoding="utf-8", newline="").read().split("\n")[:-1]
    plain = lambda t: name.get(t) or (t if len(t) == 1 else t[1])
    same([tokens(line, form, plain) for line in lines], [seen(b, "?", " ") for b in raw])


def check_gnuplot():
    needed = [seen(b, "?", " ") for b in raw]
    lines = open("gnuplot.out", encoding="utf-8", newline="").read().split("\n")[:-1]
    same(lines[::2], needed)
    same(lines[1::2], [n + "|" + n for n in needed])


def check_terminal():
    found = open("terminal", encoding="utf-8", newline="").read().split("\0")[:-1]
    line = [seen(b, "?", "?") for b in raw]
    same(found, [f"{l}\n{l}\n" + seen(b, "?", "?", "\n\t") for l, b in zip(line, raw)])


globals()["check_" + sys.argv[1]]()
